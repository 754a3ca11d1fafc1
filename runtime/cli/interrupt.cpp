#include "interrupt.h"

#include <csignal>

#include "graph/temporary_files.h"

namespace maskrt::cli {
namespace {

volatile std::sig_atomic_t arrived = 0;

void note(int signal) {
  if (arrived != 0) graph::end_by_signal(signal);
  arrived = signal;
}

}  // namespace

void watch_interrupts() { graph::on_end_signals(note); }

int interrupt_signal() { return arrived; }

void check_interrupt() {
  if (arrived != 0) throw Interrupted(arrived);
}

}  // namespace maskrt::cli
