// Ctrl-C ends a command between two steps, so that what it began to write is removed and nothing half-written stays.
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

/// Takes note of SIGINT and SIGTERM from here on. A second one ends the process at once.
void watch_interrupts();

/// Throws Interrupted if such a signal has arrived. Called between images and between timed runs.
void check_interrupt();

}  // namespace maskrt::cli
