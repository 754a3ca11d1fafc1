// A block (CTA) on its multiprocessor, the cluster it belongs to, and the launch that both serve.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "checks/global_shadow.h"
#include "checks/report.h"
#include "checks/shared_shadow.h"
#include "machine/counters.h"
#include "machine/memory.h"
#include "machine/register_pool.h"
#include "machine/warp.h"

namespace vgpu {

class Module;
struct Cluster;
struct Launch;

/// One of a block's 16 barriers. PTX ISA, 9.7.13.1 "barrier".
struct Barrier {
  struct Waiter {
    Warp* warp = nullptr;
    Lanes lanes = 0;
    const Instr* instr = nullptr;
    FramePtr frame;
  };
  std::uint32_t expected = 0;  ///< threads, warps counted whole; 0 before the first arrival
  std::uint32_t arrived = 0;
  bool whole_block = false;    ///< no count was given: every thread of the block must come
  std::uint32_t matching = 0;  ///< bar.red: threads whose predicate holds
  std::uint32_t voting = 0;    ///< bar.red: threads that brought a predicate
  std::vector<Waiter> waiters;
  View view;
};

/// What the checks know of one mbarrier object; its counts live in shared memory. PTX ISA, 9.7.13.15 "mbarrier".
struct Mbarrier {
  std::uint32_t agent = 0;
  bool valid = false;
  std::uint32_t clock = 1;
  View arriving;         ///< happens-before of arrivals in the current phase
  View published;        ///< happens-before of arrivals in completed phases
  Accessor initialised;  ///< by whom
  /// Tick of that warp at its first fence.mbarrier_init since; 0 where there was none.
  std::uint32_t init_fenced = 0;
};

struct Cta {
  Cta(Cluster& in, Dim3 index, std::uint32_t rank);

  Cluster* cluster;
  Launch* launch;
  Dim3 index;
  std::uint32_t rank;  ///< rank in the cluster
  std::vector<std::uint8_t> shared;
  SharedShadow shadow;
  std::vector<std::unique_ptr<Warp>> warps;
  Barrier barriers[16];
  std::unordered_map<std::uint32_t, Mbarrier> mbarriers;  ///< by address
  std::uint32_t next_mbarrier = 0;
  std::unordered_map<std::uint32_t, View> shared_atomics;  ///< happens-before of the atomic updates of a word
  /// Happens-before of strong accesses to global memory, by a hash of the address: addresses that share an entry seem
  /// more ordered than they are.
  std::array<std::unique_ptr<View>, 64> global_atomics;
  View& strong_accesses(std::uint64_t address) {
    auto& view = global_atomics[(address >> 2 ^ address >> 8) % global_atomics.size()];
    if (!view) view = std::make_unique<View>();
    return *view;
  }
  std::function<void()> fail_doubted;  ///< throws the report of the latest write that repeats another
  BlockOrder order;
  bool arrived_relaxed = false;  ///< at barrier.cluster, in the phase that runs
  RegisterPool register_pool;
  std::vector<std::uint32_t> run_order;

  std::uint32_t shared_end() const { return kSharedBase + static_cast<std::uint32_t>(shared.size()); }
  bool finished() const;
  /// Publishes what the participants did and lets the waiters go on.
  void complete(Barrier& barrier);
  /// Throws where a barrier of the whole block waits for threads that are gone.
  void check_exited(const Warp& warp, Lanes mask);
  std::string thread_name(const Warp& warp, int lane) const;
  Dim3 thread_index(const Warp& warp, int lane) const;
};

struct Cluster {
  Cluster(Launch& of, std::uint64_t linear);

  enum class Outcome : std::uint8_t { finished, running };
  /// Gives every warp a turn or a few. Throws Fault.
  Outcome run();
  /// Carries `work` out at some later time, in no order that the program could rely on.
  void later(std::function<void()> work) { pending.push_back(std::move(work)); }

  /// Throws the report of a cluster whose warps wait for what cannot come.
  [[noreturn]] void report_deadlock();
  /// Ends the phase of barrier.cluster where every thread that is left has arrived.
  void check_barrier();

  Launch* launch;
  std::vector<std::unique_ptr<Cta>> ctas;
  std::vector<std::function<void()>> pending;
  std::mt19937_64 random;
  std::uint32_t barrier_arrived = 0;  ///< threads at barrier.cluster
  View arriving;                      ///< happens-before of their arrivals
  std::uint64_t progress = 0;         ///< advances with everything that could end a wait
  std::uint32_t idle_rounds = 0;
  std::uint64_t seen_progress = 0;
  std::uint32_t stalled_turns = 0;           ///< long turns in a row without progress
  std::vector<LineCount>* counts = nullptr;  ///< counters of the worker thread that runs it

 private:
  void run_pending();
};

/// What one launch is made of.
struct LaunchConfig {
  Dim3 grid{1, 1, 1};
  Dim3 block{1, 1, 1};
  Dim3 cluster{1, 1, 1};
  std::uint32_t dynamic_shared = 0;
  bool cooperative = false;  ///< its blocks may wait for all others: none is left out of a sample
};

struct Settings {
  std::uint64_t seed = 0;
  int compute_capability = 90;  ///< major * 10 + minor
  std::uint32_t sms = 8;
  std::uint64_t memory = std::uint64_t{8} << 30;
  bool race_checks = true;
  bool counters = false;
  std::uint32_t sample_blocks = 0;  ///< 0: all
  std::uint32_t threads = 0;        ///< 0: as many as the machine has
};

struct Launch {
  Launch(Memory& device_memory, const Module& of, const Program& entry, const LaunchConfig& how, const Settings& with,
         std::uint32_t number, const WorkOrder* order = nullptr)
      : memory(device_memory),
        module(of),
        kernel(entry),
        config(how),
        settings(with),
        global(device_memory, number, order) {}

  Memory& memory;
  const Module& module;
  const Program& kernel;
  LaunchConfig config;
  Settings settings;
  std::vector<std::uint8_t> params;
  GlobalShadow global;
  std::atomic<bool> stop{false};
  std::mutex output_mutex;
  std::string output;  ///< what printf wrote
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

/// Runs the warp's chosen fragment until it waits, ends, or has had its turn. Throws Fault.
void run_warp(Warp& warp, std::uint32_t turn);

}  // namespace vgpu
