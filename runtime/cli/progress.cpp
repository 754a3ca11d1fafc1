#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "console.h"

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

std::string bar_line(std::size_t done, std::size_t total, const std::string& text, int columns) {
  constexpr int around_bar = 9;  // brackets, a share and two spaces
  const int width = std::min(30, columns - 1 - around_bar - static_cast<int>(text.size()));
  if (width >= 5) return bar_text(done, total, width) + "  " + text;
  return text.substr(0, static_cast<std::size_t>(std::max(0, columns - 1)));
}

std::string counts_text(std::size_t done, std::size_t total, const std::string& unit, std::size_t worked,
                        std::size_t to_work, double seconds) {
  std::string text = std::to_string(done) + " of " + std::to_string(total) + " " + unit;
  if (worked == 0 || seconds <= 0) return text;
  const double rate = static_cast<double>(worked) / seconds;
  char per_second[64];
  std::snprintf(per_second, sizeof per_second, rate < 0.1 ? ", %.2f a second" : ", %.1f a second", rate);
  text += per_second;
  if (worked < to_work) text += ", " + duration_text(static_cast<double>(to_work - worked) / rate) + " left";
  return text;
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

Progress::~Progress() { end(); }

void Progress::end() {
  if (std::exchange(drawn_, false)) show_status({});
  quiet_ = true;
}

void Progress::update(std::size_t done, std::size_t worked, std::size_t to_work) {
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10000);
  const auto now = Clock::now();
  const bool first = terminal_ && !drawn_;
  if (quiet_ || (!first && now - last_ < interval)) return;
  last_ = now;
  const std::string text =
      counts_text(done, total_, unit_, worked, to_work, std::chrono::duration<double>(now - start_).count());
  if (terminal_) {
    show_status(bar_line(done, total_, text, terminal_columns()));
    drawn_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
}

}  // namespace maskrt::cli
