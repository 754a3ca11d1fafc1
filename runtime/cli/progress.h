// A progress bar for long commands.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace maskrt::cli {

/// On a terminal, one line on stderr that is drawn anew a few times a second; elsewhere (a log) a line every ten
/// seconds at most. The destructor takes the bar away.
class Progress {
 public:
  /// `unit` is what is counted, in the plural: "images". `quiet`: nothing is shown.
  Progress(std::string unit, std::size_t total, bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total are through.
  void update(std::size_t done);
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  void draw(std::size_t done, double rate);

  std::string unit_;
  std::size_t total_;
  bool quiet_, terminal_, drawn_ = false;
  Clock::time_point start_, last_;
};

/// "[=====>    ]  31%", `width` characters between the brackets.
std::string bar_text(std::size_t done, std::size_t total, int width);

/// "4.8 s", "48 s", "3 min 20 s" or "2 h 5 min".
std::string duration_text(double seconds);

}  // namespace maskrt::cli
