// Every operation of the CPU device at the shapes of R-50 G-IAM, as the plan runs it: chosen algorithm, real buffers.
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

/// A plan of its own, with its arena, for steps to be run from.
struct Bed {
  explicit Bed(Compute precision)
      : stream(model("sparse_inst_r50_giam", precision).impl()->device->open_stream({threads()})),
        plan(*model("sparse_inst_r50_giam", precision).impl()->network, 1, kInputHeight, kInputWidth, threads()),
        arena(*stream) {
    arena.reserve(plan.arena_bytes());
    plan.execution(arena, {}).run(nullptr);  // so that no step reads memory that nothing has written
  }
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
  state.SetLabel(step.algorithm);
}

}  // namespace

void register_layers(Compute precision) {
  std::shared_ptr<Bed> bed;
  try {
    bed = std::make_shared<Bed>(precision);
  } catch (const Error&) {
    return;  // a processor without bf16: the whole-network benchmark says so
  }
  const auto& steps = bed->plan.program().steps;
  // Layers of one operation, algorithm and amount of work are the same shape: the first stands for all.
  std::set<std::tuple<std::string, std::string, double, double>> seen;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!seen.emplace(steps[i].operation, steps[i].algorithm, steps[i].flops, steps[i].bytes).second) continue;
    const std::string name =
        "layer/" + std::string(name_of(precision)) + "/" + steps[i].operation + "/" + steps[i].name;
    benchmark::RegisterBenchmark(name.c_str(), [bed, i](benchmark::State& state) { layer(state, bed, i); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace maskrt::bench
