#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace maskrt::cli {

std::string bar_text(std::size_t done, std::size_t total, int width) {
  const double share = total == 0 ? 1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const int filled = static_cast<int>(share * width);
  std::string text(static_cast<std::size_t>(width), ' ');
  std::fill_n(text.begin(), filled, '=');
  if (filled < width) text[static_cast<std::size_t>(filled)] = '>';
  char bar[128];
  std::snprintf(bar, sizeof bar, "[%s] %3d%%", text.c_str(), static_cast<int>(share * 100));
  return bar;
}

std::string duration_text(double seconds) {
  if (seconds < 9.95) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", std::max(0.0, seconds));
    return text;
  }
  const long whole = std::lround(seconds);
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

Progress::Progress(std::string unit, std::size_t total, bool quiet)
    : unit_(std::move(unit)),
      total_(total),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

void Progress::update(std::size_t done) {
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  const auto now = Clock::now();
  if (quiet_ || now - last_ < interval) return;
  last_ = now;
  draw(done, static_cast<double>(done) / seconds());
}

void Progress::draw(std::size_t done, double rate) {
  char counts[128];
  std::snprintf(counts, sizeof counts, "%zu of %zu %s, %.1f a second", done, total_, unit_.c_str(), rate);
  const std::string left =
      rate > 0 && done < total_ ? ", " + duration_text(static_cast<double>(total_ - done) / rate) + " left" : "";
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s  %s%s", bar_text(done, total_, 30).c_str(), counts, left.c_str());
    drawn_ = true;
  } else {
    std::fprintf(stderr, "%s%s\n", counts, left.c_str());
  }
  std::fflush(stderr);
}

}  // namespace maskrt::cli
