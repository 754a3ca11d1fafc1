// A lock that a child of fork does not wait for in vain.
#pragma once

#include <unistd.h>

#include <atomic>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt {

/// A mutex that knows the process of its holder. fork copies the calling thread alone: a lock that another thread held
/// at that moment stays locked in the child, where nobody is left to unlock it. Whoever wants it there gets an Error.
/// Holder and lock are one word, so that no moment lies between taking the lock and saying whose it is.
class ForkAwareMutex {
 public:
  /// `activity` stands in the error: "making a plan".
  explicit ForkAwareMutex(const char* activity) : activity_(activity) {}
  ForkAwareMutex(const ForkAwareMutex&) = delete;
  ForkAwareMutex& operator=(const ForkAwareMutex&) = delete;

  void lock() {
    const pid_t own = ::getpid();
    for (pid_t holder = kNobody; !holder_.compare_exchange_weak(holder, own, std::memory_order_acquire);
         holder = kNobody) {
      if (holder == kNobody) continue;
      if (holder != own)
        throw Error(std::string("fork: expected no thread to be ") + activity_ +
                    " while another one forked this process, found one, whose lock nobody can release here; fork "
                    "while no other thread is in a call of maskrt");
      holder_.wait(holder, std::memory_order_relaxed);
    }
  }
  void unlock() {
    holder_.store(kNobody, std::memory_order_release);
    holder_.notify_one();
  }

 private:
  static constexpr pid_t kNobody = 0;
  const char* activity_;
  std::atomic<pid_t> holder_ = kNobody;
};

}  // namespace maskrt
