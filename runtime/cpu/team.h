// The threads that one session computes on.
#pragma once

#include <functional>
#include <memory>

namespace maskrt::cpu {

/// Work is done on a thread of the team's own, the master, for OpenMP keeps a set of workers for each thread that
/// starts parallel loops: the team's workers are its own then, end with it, and have its floating-point environment,
/// while a host program's OpenMP threads never compute for maskrt. A team of one thread is the calling thread, whose
/// state is set for the work and restored.
///
/// The master starts with the first work. A child of fork has none: the first work there starts another. Threads of a
/// team leave signals to the host's threads, but for those that a thread brings upon itself and the profiler's.
/// Belongs to one thread at a time.
class Team {
 public:
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return threads_; }

  /// Does the work and returns at its end; what it throws comes out here. Work that asks for more work does it in
  /// place. Throws Error when the system refuses the thread.
  void perform(const std::function<void()>& work);

 private:
  struct Master;
  static void serve(Master& master, int threads);
  static std::unique_ptr<Master> start(int threads);

  int threads_;
  std::unique_ptr<Master> master_;
};

}  // namespace maskrt::cpu
