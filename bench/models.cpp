#include "models.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/precision.h"
#include "runtime/support/usable_processors.h"
#include "weights_tools/families/build_model.h"

namespace maskrt::bench {

int threads() {
  if (const char* text = std::getenv("MASKRT_BENCH_THREADS"); text != nullptr && std::atoi(text) > 0)
    return std::atoi(text);
  return usable_processors();
}

const Model& model(const std::string& config, Compute precision) {
  static std::map<std::pair<std::string, Compute>, Model> models;
  const auto key = std::pair(config, precision);
  auto found = models.find(key);
  if (found == models.end()) {
    ModelOptions options;
    options.device = "cpu";
    options.precision = precision;
    auto built = weights::build_random_model(weights::read_network(weights::published_config(config)));
    found = models.emplace(key, make_model(std::move(built.description), options)).first;
  }
  return found->second;
}

namespace {

/// One whole network, no images: what `maskrt bench` calls "network".
void network(benchmark::State& state, const std::string& config, Compute precision, int batch) {
  try {
    Session session(model(config, precision), {threads(), 1});
    std::vector<LayerTiming> layers;
    session.run_network(batch, kInputHeight, kInputWidth, &layers);
    double flops = 0, bytes = 0;
    for (const LayerTiming& layer : layers) {
      flops += layer.flops;
      bytes += layer.bytes;
    }
    for (auto _ : state) state.SetIterationTime(session.run_network(batch, kInputHeight, kInputWidth));
    using benchmark::Counter;
    state.counters["FLOP/s"] = Counter(flops, Counter::kIsIterationInvariantRate);
    state.counters["bytes/s"] = Counter(bytes, Counter::kIsIterationInvariantRate);
    state.counters["images/s"] = Counter(batch, Counter::kIsIterationInvariantRate);
  } catch (const Error& error) {
    state.SkipWithError(error.what());
  }
}

void register_network(const std::string& config, Compute precision, int batch) {
  const std::string name =
      "network/" + config + "/" + std::string(name_of(precision)) + "/batch:" + std::to_string(batch);
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { network(state, config, precision, batch); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(5);
}

const bool registered = [] {
  for (const Compute precision : {Compute::fp32, Compute::bf16}) {
    register_network("sparse_inst_r50_giam", precision, 1);
    register_network("sparse_inst_r50_giam", precision, 4);
    register_network("sparse_inst_r50_base", precision, 1);
    register_network("sparse_inst_r101_giam", precision, 1);
    register_network("sparse_inst_r50vd_dcn_giam", precision, 1);
    register_network("sparse_inst_pvt_b2_li_giam", precision, 1);
  }
  return true;
}();

}  // namespace
}  // namespace maskrt::bench
