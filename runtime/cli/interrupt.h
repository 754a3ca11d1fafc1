// Ctrl-C ends a command between two steps, so that it keeps its results so far and leaves no half-written file.
#pragma once

#include <exception>

namespace maskrt::cli {

/// Thrown by check_interrupt(); main() turns it into the exit status that shells expect of a signal.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal) : signal_(signal) {}
  int signal() const { return signal_; }
  const char* what() const noexcept override { return "interrupted"; }

 private:
  int signal_;
};

/// Takes note of SIGINT, SIGTERM and SIGHUP from here on, but for those that the process was started to ignore. A
/// second one removes temporary files and ends the process at once.
void watch_interrupts();

/// The signal that has arrived, 0 for none.
int interrupt_signal();

/// Throws Interrupted if such a signal has arrived. Called between images and between timed runs.
void check_interrupt();

}  // namespace maskrt::cli
