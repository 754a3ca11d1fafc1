// Every operation of the CPU device at the shapes of published networks, as the plan runs it: chosen algorithm, real
// buffers.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>

#include "models.h"
#include "runtime/executor.h"

namespace maskrt::bench {
namespace {

/// A network's plan, with an arena of its own for steps to be run from.
struct Bed {
  Bed(const std::string& config, Compute precision)
      : network(model(config, precision)),
        stream(network.impl()->device->open_stream({threads()})),
        plan(*network.impl()->network, 1, kInputHeight, kInputWidth, threads()),
        arena(*stream) {
    arena.reserve(plan.arena_bytes());
    plan.execution(arena, {}).run(nullptr);  // so that no step reads memory that nothing has written
  }
  /// The least that a step takes at the processor's rates, in seconds.
  double bound(const Step& step) const {
    const auto& impl = *network.impl();
    return least_seconds(step, impl.device->peak(step.arithmetic.value_or(impl.precision), threads()));
  }
  const Model& network;
  std::unique_ptr<DeviceStream> stream;
  Plan plan;
  Arena arena;
};

void layer(benchmark::State& state, const std::shared_ptr<Bed>& bed, std::size_t index) {
  const Step& step = bed->plan.program().steps[index];
  for (auto _ : state) bed->plan.run_step(bed->arena, index);
  using benchmark::Counter;
  if (step.flops > 0) state.counters["FLOP/s"] = Counter(step.flops, Counter::kIsIterationInvariantRate);
  state.counters["bytes/s"] = Counter(step.bytes, Counter::kIsIterationInvariantRate);
  // Bound by time.
  state.counters["bound_share"] = Counter(bed->bound(step), Counter::kIsIterationInvariantRate);
  state.SetLabel(step.algorithm);
}

}  // namespace

void register_layers(Compute precision) {
  // Layers of one operation, algorithm and amount of work are the same shape: the first stands for all.
  std::set<std::tuple<std::string, std::string, double, double>> seen;
  for (const std::string config : {"sparse_inst_r50_giam", "sparse_inst_r50vd_dcn_giam", "sparse_inst_pvt_b1_giam",
                                   "sparse_inst_pvt_b2_li_giam"}) {
    std::shared_ptr<Bed> bed;
    try {
      bed = std::make_shared<Bed>(config, precision);
    } catch (const Error&) {
      return;  // a processor without bf16: the whole-network benchmark says so
    }
    const auto& steps = bed->plan.program().steps;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (!seen.emplace(steps[i].operation, steps[i].algorithm, steps[i].flops, steps[i].bytes).second) continue;
      const std::string name =
          "layer/" + std::string(name_of(precision)) + "/" + steps[i].operation + "/" + config + "/" + steps[i].name;
      benchmark::RegisterBenchmark(name.c_str(), [bed, i](benchmark::State& state) { layer(state, bed, i); })
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace maskrt::bench
