#include "interrupt.h"

#include <atomic>
#include <csignal>

#include "graph/temporary_files.h"

namespace maskrt::cli {
namespace {

/// Read on any thread, while a handler may be running on another.
std::atomic<int> arrived = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // as a signal's handler needs it

void note(int signal) {
  if (arrived.exchange(signal) != 0) graph::end_by_signal(signal);
}

}  // namespace

void watch_interrupts() { graph::on_end_signals(note); }

int interrupt_signal() { return arrived; }

void check_interrupt() {
  if (const int signal = arrived) throw Interrupted(signal);
}

}  // namespace maskrt::cli
