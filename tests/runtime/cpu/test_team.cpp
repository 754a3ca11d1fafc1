// A session's own threads, and the lock that fork does not leave taken unnoticed.
#include <omp.h>
#include <pthread.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "runtime/cpu/team.h"
#include "runtime/support/fork_aware_mutex.h"
#include "support/forked.h"

namespace maskrt {
namespace {

using cpu::Team;
using testing::Forked;

TEST_CASE("a team works on threads of its own, as many as asked", "[team]") {
  const int threads = GENERATE(2, 3, 17);
  Team team(threads);
  std::thread::id master;
  int most = 0, started = 0;
  team.perform([&] {
    master = std::this_thread::get_id();
    most = omp_get_max_threads();
#pragma omp parallel
#pragma omp single
    started = omp_get_num_threads();
  });
  CHECK(master != std::this_thread::get_id());
  CHECK(most == threads);
  CHECK(started == threads);
  std::thread::id next;
  team.perform([&] { next = std::this_thread::get_id(); });
  CHECK(next == master);
}

TEST_CASE("a team of one is the calling thread", "[team]") {
  Team team(1);
  std::thread::id worker;
  const int before = omp_get_max_threads();
  team.perform([&] {
    worker = std::this_thread::get_id();
    CHECK(omp_get_max_threads() == 1);
  });
  CHECK(worker == std::this_thread::get_id());
  CHECK(omp_get_max_threads() == before);
}

TEST_CASE("what the work throws comes out, and the team goes on", "[team]") {
  const int threads = GENERATE(1, 4);
  Team team(threads);
  CHECK_THROWS_WITH(team.perform([] { throw Error("expected this"); }), "expected this");
  CHECK_THROWS_AS(team.perform([] { throw 5; }), int);
  int done = 0;
  team.perform([&] { ++done; });
  CHECK(done == 1);
}

TEST_CASE("work may ask for more work", "[team]") {
  const int threads = GENERATE(1, 3);
  Team team(threads), other(2);
  int done = 0;
  team.perform([&] {
    team.perform([&] { ++done; });
    other.perform([&] { ++done; });
  });
  CHECK(done == 2);
}

TEST_CASE("a caller that is to be cancelled waits for the work that it gave", "[team]") {
  Team team(2);
  std::atomic<bool> working = false, cancelled = false;
  bool done = false;
  std::thread caller([&] {
    team.perform([&] {
      working = true;
      while (!cancelled) std::this_thread::yield();
      done = true;
    });
  });
  while (!working) std::this_thread::yield();
  ::pthread_cancel(caller.native_handle());
  cancelled = true;
  caller.join();
  CHECK(done);
}

TEST_CASE("a child of fork has a team of its own, and leaves its parent's alone", "[team]") {
  Team team(3);
  team.perform([] {});
  const auto work = [&] {
    int started = 0;
    team.perform([&] {
#pragma omp parallel
#pragma omp single
      started = omp_get_num_threads();
    });
    return std::to_string(started);
  };
  CHECK(Forked(work).wait() == "3");
  CHECK(Forked([&] {
          Team(2).perform([] {});
          return std::string("ended");
        }).wait() == "ended");
  CHECK(work() == "3");
}

TEST_CASE("a lock is for one thread at a time", "[fork]") {
  ForkAwareMutex mutex("counting");
  int count = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) {
          const std::lock_guard lock(mutex);
          ++count;
        }
      });
  }
  CHECK(count == 8000);
}

TEST_CASE("a lock that fork left taken is an Error in the child, one that its thread holds is not", "[fork]") {
  ForkAwareMutex mutex("counting");
  const auto take = [&] {
    const std::lock_guard lock(mutex);
    return std::string("taken");
  };
  {
    std::atomic<bool> held = false, enough = false;
    std::jthread holder([&] {
      const std::lock_guard lock(mutex);
      held = true;
      while (!enough) std::this_thread::yield();
    });
    while (!held) std::this_thread::yield();
    const std::string told = Forked(take).wait();
    enough = true;
    CHECK_THAT(told, Catch::Matchers::Contains("Error: fork: expected no thread to be counting"));
  }
  CHECK(Forked(take).wait() == "taken");
  mutex.lock();
  CHECK(Forked([&] {
          mutex.unlock();  // the thread that forked held it, and lives on here
          return take();
        }).wait() == "taken");
  mutex.unlock();
}

}  // namespace
}  // namespace maskrt
