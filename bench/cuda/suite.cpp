#include "suite.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "bench/cuda/rivals/rivals.h"
#include "kernels/conv/cuda/conv_tma_params.h"
#include "measured.h"

namespace maskrt::bench {
namespace {

/// One network's memory and clock, shared by its benchmarks.
struct Bench {
  explicit Bench(const Subject& of)
      : subject(of), bed(of.model, of.batch, of.height, of.width), stopwatch(bed.stream()) {
    peak = peak_for_bounds(bed.context(), subject.precision);
    if (!subject.virtual_gpu) bed.run_all();
  }
  Subject subject;
  Bed bed;
  Stopwatch stopwatch;
  PeakRates peak;
};

/// The launches of one benchmark: some consecutive operations of a stage.
struct Entry {
  const Stage* stage = nullptr;
  std::size_t first = 0, count = 0;
  int layers = 1;             ///< number of layers of this shape
  bool has_work = false;      ///< the stage's FLOPs and bytes are this entry's
  bool after_others = false;  ///< reads intermediate results of the stage's earlier operations

  void send_before(const Bed& bed) const {
    if (!after_others) return;
    for (std::size_t i = 0; i < first; ++i) replay(stage->operations[i], bed.stream().queue());
  }
  void send(const Bed& bed) const {
    for (std::size_t i = first; i < first + count; ++i) replay(stage->operations[i], bed.stream().queue());
  }
};

double volume(const kernels::Dim3& d) { return static_cast<double>(d.count()); }

/// Number of tiles of a launch: its blocks or, for persistent kernels, its work items times the blocks of a cluster.
double tiles_of(const Operation& operation) {
  const kernels::KernelLaunch& launch = operation.launch;
  if (std::string_view(launch.kernel.file) != "conv/conv_wgmma_sm90") return volume(launch.grid);
  kernels::ConvTmaParams params;
  std::memcpy(&params, operation.parameters.data(), sizeof params);
  return params.work_items * volume(launch.cluster);
}

/// Counters of the launch's geometry, where the benchmark is one launch, and its bound.
void describe(benchmark::State& state, const Bench& bench, const Entry& entry, double seconds) {
  auto& counters = state.counters;
  counters["layers"] = entry.layers;
  if (entry.count == 1 && entry.stage->operations[entry.first].is_launch()) {
    const kernels::KernelLaunch& launch = entry.stage->operations[entry.first].launch;
    counters["blocks"] = volume(launch.grid);
    counters["tiles"] = tiles_of(entry.stage->operations[entry.first]);
    counters["block_threads"] = volume(launch.block);
    counters["cluster"] = volume(launch.cluster);
    counters["shared"] = launch.shared_bytes;
    state.SetLabel(std::string(launch.kernel.file) + ": " + launch.kernel.entry);
  }
  if (!entry.has_work) return;
  const Stage& stage = *entry.stage;
  if (!stage.in_pipeline) counters["beside_pipeline"] = 1;
  const double bound = bound_seconds(stage.flops, stage.bytes, bench.peak);
  counters["GFLOP"] = stage.flops * 1e-9;
  counters["MB"] = stage.bytes * 1e-6;
  counters["bound_us"] = bound * 1e6;
  if (stage.predicted_seconds > 0) counters["predicted_us"] = stage.predicted_seconds * 1e6;
  if (seconds > 0) counters["bound_share"] = bound / seconds;
}

/// The mean of what `seconds` gives, a time by the GPU's clock.
template <typename Seconds>
double measure(benchmark::State& state, const Seconds& seconds) {
  double sum = 0;
  for (auto _ : state) {
    const double one = seconds();
    state.SetIterationTime(one);
    sum += one;
  }
  return sum / static_cast<double>(state.iterations());
}

/// The same of `work`, which has been sent before, many times in a row.
template <typename Work>
double measure_warm(benchmark::State& state, const Bench& bench, const Work& work, int repeats) {
  const cuda::GraphExec graph = bench.stopwatch.record(work, repeats);
  bench.stopwatch.warm(graph, repeats);
  return measure(state, [&] { return bench.stopwatch.warm(graph, repeats); });
}

/// Enough blocks to see all that a kernel does, few enough for a processor: 0 is all.
std::uint32_t blocks_to_run(const Entry& entry) {
  const Stage& stage = *entry.stage;
  if (stage.sums_across_blocks) return 0;
  const double runs = stage.flops / 1e9 + stage.bytes / 64e6;  // runs in about a second
  double clusters = 0;
  for (std::size_t i = entry.first; i < entry.first + entry.count; ++i) {
    const kernels::KernelLaunch& launch = stage.operations[i].launch;
    clusters = std::max(clusters, volume(launch.grid) / volume(launch.cluster));
  }
  return runs <= 1 ? 0 : static_cast<std::uint32_t>(std::max(3.0, std::ceil(clusters / runs)));
}

double ratio(std::uint64_t a, std::uint64_t b) { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); }

/// What the virtual GPU counts of one run.
void count(benchmark::State& state, Bench& bench, const Entry& entry) {
  const VirtualGpu& gpu = *bench.subject.virtual_gpu;
  VgpuCounters found{};
  for (auto _ : state) {
    gpu.sample_blocks(0);
    bench.bed.clear();
    if (entry.after_others || entry.stage->operation == "postprocess") bench.bed.write_logits();
    entry.send_before(bench.bed);
    bench.bed.stream().synchronize();
    gpu.sample_blocks(blocks_to_run(entry));
    gpu.take_counters();
    entry.send(bench.bed);
    bench.bed.stream().synchronize();
    found = gpu.take_counters();
    state.SetIterationTime(0);
  }
  auto& counters = state.counters;
  const auto show = [&](const std::string& where, const VgpuCount& count) {
    counters[where + "instructions"] = static_cast<double>(count.instructions);
    counters[where + "tensor_share"] = ratio(count.tensor_instructions, count.instructions);
    if (count.global_sectors != 0)
      counters[where + "sectors_used"] = ratio(count.global_used, 32 * count.global_sectors);
    if (count.shared_least != 0) counters[where + "passes_per_access"] = ratio(count.shared_passes, count.shared_least);
  };
  show("", found.all);
  show("loop_", found.main_loop);
  counters["moved_bytes"] = 32 * static_cast<double>(found.all.global_sectors);
  counters["blocks_run"] = static_cast<double>(found.blocks_run);
  describe(state, bench, entry, 0);
}

void add(const std::string& name, int iterations, std::function<void(benchmark::State&)> body) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [body = std::move(body)](benchmark::State& state) {
                                 try {
                                   body(state);
                                 } catch (const Error& error) {
                                   state.SkipWithError(error.what());
                                 }
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond)
      ->Iterations(iterations);
}

void add_entry(const std::shared_ptr<Bench>& bench, const std::string& name, const Entry& entry) {
  if (bench->subject.virtual_gpu) {
    add(name, 1, [=](benchmark::State& state) { count(state, *bench, entry); });
    return;
  }
  const auto time = [=](benchmark::State& state, bool cold) {
    bench->bed.clear();
    if (entry.stage->operation == "postprocess") bench->bed.write_logits();
    const auto work = [&] { entry.send(bench->bed); };
    const auto alone = [&] {
      entry.send_before(bench->bed);
      return cold ? bench->stopwatch.cold(work) : bench->stopwatch.time(work);
    };
    const double seconds =
        cold || entry.after_others ? measure(state, alone) : measure_warm(state, *bench, work, bench->subject.repeats);
    describe(state, *bench, entry, seconds);
  };
  const int measurements = bench->subject.measurements;
  add(name, measurements, [=](benchmark::State& state) { time(state, false); });
  add(name + "/cold", measurements, [=](benchmark::State& state) { time(state, true); });
}

std::string kernel_of(const Operation& operation) {
  return operation.is_launch() ? operation.launch.kernel.entry : "memset";
}

void register_stage(const std::shared_ptr<Bench>& bench, const Stage& stage, int layers) {
  const std::string prefix = bench->subject.prefix() + "/" + stage.name;
  const std::size_t count = stage.operations.size();
  const bool alone = stage.operation == "postprocess";
  for (std::size_t i = 0; i < count; ++i)
    add_entry(bench, prefix + "/" + kernel_of(stage.operations[i]), {&stage, i, 1, layers, count == 1, alone && i > 0});
  if (count > 1) add_entry(bench, prefix, {&stage, 0, count, layers, true, false});
}

/// All that tells one shape from another.
std::string shape_of(const Stage& stage) {
  std::string key = stage.operation + " " + std::to_string(stage.flops) + " " + std::to_string(stage.bytes);
  for (const Operation& operation : stage.operations) {
    const kernels::Dim3& grid = operation.launch.grid;
    key += " " + kernel_of(operation) + " " + std::to_string(grid.x) + "x" + std::to_string(grid.y) + "x" +
           std::to_string(grid.z);
  }
  return key;
}

/// Everything that `takes` accepts as one graph.
template <typename Takes>
void register_graph(const std::shared_ptr<Bench>& bench, const std::string& name, const Takes& takes) {
  double flops = 0, bytes = 0, bound = 0, predicted = 0;
  int kernels = 0;
  for (const Stage& stage : bench->bed.stages()) {
    if (!takes(stage)) continue;
    flops += stage.flops;
    bytes += stage.bytes;
    const double least = bound_seconds(stage.flops, stage.bytes, bench->peak);
    bound += least;
    predicted += std::max(stage.predicted_seconds, least);
    for (const Operation& operation : stage.operations) kernels += operation.is_launch() ? 1 : 0;
  }
  add(bench->subject.prefix() + "/" + name, bench->subject.virtual_gpu ? 1 : bench->subject.measurements,
      [=](benchmark::State& state) {
        double seconds = 0;
        if (bench->subject.virtual_gpu) {
          for (auto _ : state) state.SetIterationTime(0);
        } else {
          cuda::SessionStream& stream = bench->bed.stream();
          const auto work = [&] {
            for (const Stage& stage : bench->bed.stages())
              if (takes(stage))
                for (const Operation& operation : stage.operations) replay(operation, stream.queue());
          };
          seconds = measure_warm(state, *bench, work, 1);
        }
        auto& counters = state.counters;
        counters["kernels"] = kernels;
        counters["GFLOP"] = flops * 1e-9;
        counters["MB"] = bytes * 1e-6;
        counters["bound_us"] = bound * 1e6;
        counters["predicted_us"] = predicted * 1e6;
        if (seconds > 0) {
          counters["bound_share"] = bound / seconds;
          counters["images/s"] = static_cast<double>(bench->subject.batch) / seconds;
        }
      });
}

void register_rivals(const std::shared_ptr<Bench>& bench, const Stage& stage) {
  const Subject& subject = bench->subject;
  for (RivalOfLayer& rival : rivals_of(subject.model.impl()->network->graph(), bench->bed.extents(), stage.name)) {
    add(subject.prefix() + "/" + stage.name + "/" + rival.name, subject.measurements,
        [=, make = rival.make](benchmark::State& state) {
          const std::unique_ptr<Rival> run = make(bench->bed.stream());
          run->send();
          const double seconds = measure_warm(
              state, *bench, [&] { run->send(); }, subject.repeats);
          const double bound = bound_seconds(stage.flops, stage.bytes, bench->peak);
          state.counters["bound_us"] = bound * 1e6;
          state.counters["bound_share"] = bound / seconds;
          state.SetLabel(run->description());
        });
  }
}

}  // namespace

void register_suite(const Subject& subject, bool rivals) {
  const auto bench = std::make_shared<Bench>(subject);
  std::map<std::string, int> layers;
  for (const Stage& stage : bench->bed.stages()) ++layers[shape_of(stage)];
  for (const Stage& stage : bench->bed.stages()) {
    int& left = layers[shape_of(stage)];
    if (left == 0) continue;
    register_stage(bench, stage, left);
    if (rivals && !subject.virtual_gpu && subject.precision == Precision::fp16) register_rivals(bench, stage);
    left = 0;  // the first stands for all
  }
  register_graph(bench, "network",
                 [](const Stage& s) { return s.operation != "preprocess" && s.operation != "postprocess"; });
  register_graph(bench, "pipeline", [](const Stage& s) { return s.in_pipeline; });
}

}  // namespace maskrt::bench
