#include "team.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "compute_state.h"
#include "maskrt/types.hpp"

namespace maskrt::cpu {
namespace {

/// The calling thread blocks signals while it lives, so that threads that it starts are born with them blocked.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    ::sigfillset(&blocked);
    // A fault of the thread itself belongs to the host's handlers, if it has any. A profiler samples all threads.
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF})
      ::sigdelset(&blocked, own);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

/// The master's thread and the hand-off to it. Waiting is on an atomic and not on a condition variable: a wait for that
/// would be a point where pthread_cancel ends the waiting host's thread while the master works with what it refers to.
struct Team::Master {
  enum State : int { idle, working, ending };
  std::atomic<int> state = idle;
  const std::function<void()>* work = nullptr;  // read and written by who has the turn, as `failure` is
  std::exception_ptr failure;
  const pid_t process = ::getpid();
  std::thread thread;

  /// The master that the calling thread is.
  static thread_local const Master* current;
};

thread_local const Team::Master* Team::Master::current = nullptr;

Team::Team(int threads) : threads_(threads) {}

Team::~Team() {
  if (master_ == nullptr) return;
  if (master_->process != ::getpid()) {
    static_cast<void>(master_.release());  // its thread is not in this process: nothing to join
    return;
  }
  master_->state.store(Master::ending, std::memory_order_release);
  master_->state.notify_one();
  master_->thread.join();
}

void Team::serve(Master& master, int threads) {
  Master::current = &master;
  const ComputeState state(threads);
  for (;;) {
    master.state.wait(Master::idle, std::memory_order_acquire);
    if (master.state.load(std::memory_order_acquire) == Master::ending) return;
    try {
      (*master.work)();
    } catch (...) {
      master.failure = std::current_exception();
    }
    master.state.store(Master::idle, std::memory_order_release);
    master.state.notify_one();
  }
}

std::unique_ptr<Team::Master> Team::start(int threads) {
  auto master = std::make_unique<Master>();
  const SignalsBlocked blocked;
  try {
    master->thread = std::thread(serve, std::ref(*master), threads);
  } catch (const std::system_error& error) {
    throw Error(std::string("cpu: expected to start a thread for the session's work, found: ") + error.what());
  }
  return master;
}

void Team::perform(const std::function<void()>& work) {
  if (threads_ == 1) {
    const ComputeState state(1);
    work();
    return;
  }
  if (master_ != nullptr && master_.get() == Master::current) {
    work();
    return;
  }
  // In a child of fork the master's thread does not exist, and what it was doing is nobody's to clean up.
  if (master_ != nullptr && master_->process != ::getpid()) static_cast<void>(master_.release());
  if (master_ == nullptr) master_ = start(threads_);
  Master& master = *master_;
  master.work = &work;
  master.state.store(Master::working, std::memory_order_release);
  master.state.notify_one();
  master.state.wait(Master::working, std::memory_order_acquire);
  if (std::exception_ptr failure = std::exchange(master.failure, nullptr)) std::rethrow_exception(std::move(failure));
}

}  // namespace maskrt::cpu
