// A progress bar for long commands.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace maskrt::cli {

/// On a terminal, one line on stderr that is drawn anew a few times a second, below whatever else is printed
/// (console.h); elsewhere (a log) a line every ten seconds at most. The destructor takes the bar away.
class Progress {
 public:
  /// `unit` is what is counted, in the plural: "images". `quiet`: nothing is shown.
  Progress(std::string unit, std::size_t total, bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total are through.
  void update(std::size_t done) { update(done, done, total_); }
  /// The same where some were done before: rate and remaining time are of the `to_work` that were not, of which
  /// `worked` are through.
  void update(std::size_t done, std::size_t worked, std::size_t to_work);
  /// Removes the bar permanently.
  void end();

 private:
  using Clock = std::chrono::steady_clock;

  std::string unit_;
  std::size_t total_;
  bool quiet_, terminal_, drawn_ = false;
  Clock::time_point start_, last_;
};

/// "31 of 100 images, 4.2 a second, 17 s left"; without a rate, or with nothing left to do, without those parts.
/// `worked` of `to_work` took `seconds`.
std::string counts_text(std::size_t done, std::size_t total, const std::string& unit, std::size_t worked,
                        std::size_t to_work, double seconds);

/// "[=====>    ]  31%", `width` characters between the brackets.
std::string bar_text(std::size_t done, std::size_t total, int width);

/// A bar and a text after it, in one line of fewer than `columns`: the bar is as wide as that allows, 30 at most, and
/// left out where it would be narrower than 5; the text is cut off at last.
std::string bar_line(std::size_t done, std::size_t total, const std::string& text, int columns);

/// "4.8 s", "48 s", "3 min 20 s" or "2 h 5 min".
std::string duration_text(double seconds);

}  // namespace maskrt::cli
