#include "bench_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "call_parts.h"
#include "commit.h"
#include "console.h"
#include "options.h"
#include "statistics.h"

namespace maskrt::cli {
namespace {

using Json = nlohmann::ordered_json;

/// A stage's name as a key.
std::string key_of(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

/// Layers that count as one.
struct Sum {
  std::string operation;
  std::size_t layers = 0;
  double seconds = 0, flops = 0, bytes = 0, bound = 0;

  void add(const LayerTiming& layer) {
    ++layers;
    seconds += layer.seconds;
    flops += layer.flops;
    bytes += layer.bytes;
    bound += layer.bound;
  }
};

Sum all_of(const std::vector<LayerTiming>& layers) {
  Sum all;
  for (const LayerTiming& layer : layers) all.add(layer);
  return all;
}

/// The most expensive one first.
std::vector<Sum> by_operation(const std::vector<LayerTiming>& layers) {
  std::vector<Sum> sums;
  for (const LayerTiming& layer : layers) {
    auto sum = std::find_if(sums.begin(), sums.end(), [&](const Sum& s) { return s.operation == layer.operation; });
    if (sum == sums.end()) {
      sums.emplace_back().operation = layer.operation;
      sum = sums.end() - 1;
    }
    sum->add(layer);
  }
  std::stable_sort(sums.begin(), sums.end(), [](const Sum& a, const Sum& b) { return a.seconds > b.seconds; });
  return sums;
}

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// Median seconds of the whole network, whose layers then run without the pauses of timing them one by one.
double network_seconds(const Measured& measured) { return measured.median("network alone"); }

bool on_gpu(const BenchReport& report) { return report.info.device.starts_with("cuda"); }

/// The parts of a call, and how many a second there are.
void print_parts(const BenchReport& report) {
  const std::vector<CallPart> parts = parts_of_call(report.measured);
  const double all = seconds_of(parts);
  const auto line = [&](const std::string& name, double seconds) {
    say("%-14s  %10.3f  %9.1f%%\n", name.c_str(), 1e3 * seconds, 100 * share(seconds, all));
  };
  say("\n%-14s  %10s  %10s\n", "module", "ms", "share");
  for (const CallPart& part : parts) line(part.name, part.seconds);
  line("all", all);
  say("network and post-processing alone, as SparseInst's authors count: %.2f frames a second\n",
      frames_per_second(parts, report.batch));
  say("modules share \"network\" as their layers do, timed one by one%s\n",
      report.measured.picture_network == report.measured.network
          ? ""
          : (" on an input of " + size_text(report.measured.network)).c_str());
}

/// The width of a column: its longest text or title.
int column_width(const std::vector<LayerTiming>& layers, std::string LayerTiming::*text, const char* title) {
  std::size_t longest = std::string(title).size();
  for (const LayerTiming& layer : layers) longest = std::max(longest, (layer.*text).size());
  return static_cast<int>(longest);
}

/// Time, rate, share of all layers' time, bound, share of the bound.
void print_figures(const Sum& sum, const Sum& all) {
  say("  %9.4f  %9.1f  %5.1f%%", 1e3 * sum.seconds, 1e-9 * share(sum.flops, sum.seconds),
      100 * share(sum.seconds, all.seconds));
  if (all.bound > 0) say("  %9.4f  %8.1f%%", 1e3 * sum.bound, 100 * share(sum.bound, sum.seconds));
  say("\n");
}

void print_titles(bool bounded) {
  say("  %9s  %9s  %6s", "ms", "GFLOP/s", "share");
  say(bounded ? "  %9s  %9s\n" : "\n", "bound ms", "of bound");
}

void print_layers(const std::vector<LayerTiming>& layers, const Sum& all) {
  const int name = column_width(layers, &LayerTiming::name, "layer");
  const int operation = column_width(layers, &LayerTiming::operation, "op");
  const int algorithm = column_width(layers, &LayerTiming::algorithm, "algorithm");
  const auto texts = [&](const char* layer, const char* op, const char* way) {
    say("%-*s  %-*s  %-*s", name, layer, operation, op, algorithm, way);
  };
  say("\n");
  texts("layer", "op", "algorithm");
  print_titles(all.bound > 0);
  for (const LayerTiming& layer : layers) {
    texts(layer.name.c_str(), layer.operation.c_str(), layer.algorithm.c_str());
    Sum one;
    one.add(layer);
    print_figures(one, all);
  }
  texts("all", "", "");
  print_figures(all, all);
}

void print_operations(const std::vector<LayerTiming>& layers, const Sum& all) {
  const int width = std::max(9, column_width(layers, &LayerTiming::operation, "op"));
  say("\n%-*s  %6s", width, "operation", "layers");
  print_titles(all.bound > 0);
  for (const Sum& sum : by_operation(layers)) {
    say("%-*s  %6zu", width, sum.operation.c_str(), sum.layers);
    print_figures(sum, all);
  }
}

void explain_bound(const BenchReport& report, const Sum& all) {
  say("\nGFLOP/s are of the layers as defined");
  if (all.bound <= 0) {
    say("\n");
    return;
  }
  if (on_gpu(report)) {
    say("; the bound is what arithmetic and memory need at the GPU's highest clocks");
  } else {
    say(", Winograd multiplies less\nthe bound is what arithmetic or bytes need at the rates that %d %s reached just "
        "now "
        "in loops of nothing else:\n%.1f GFLOP/s in %s, %.1f GB/s from memory, %.1f GB/s where a layer fits the last "
        "cache (%.0f MB);\nof Winograd's layers it counts a quarter of the multiplications",
        report.threads, report.threads == 1 ? "thread" : "threads", 1e-9 * report.peak.flops,
        report.info.precision.c_str(), 1e-9 * report.peak.bytes, 1e-9 * report.peak.cached_bytes,
        report.peak.cache / (1 << 20));
  }
  say("\nlayers are timed one by one; together (\"network alone\") they reach %.1f%% of the bound\n",
      100 * share(all.bound, network_seconds(report.measured)));
}

Json json_of(const Sum& sum, const Sum& all) {
  Json json = {{"ms", 1e3 * sum.seconds},
               {"gflops", 1e-9 * share(sum.flops, sum.seconds)},
               {"share", share(sum.seconds, all.seconds)},
               {"flops", sum.flops},
               {"bytes", sum.bytes}};
  if (all.bound > 0) {
    json["bound_ms"] = 1e3 * sum.bound;
    json["bound_share"] = share(sum.bound, sum.seconds);
  }
  return json;
}

}  // namespace

void print_bench(const BenchReport& report, bool layers) {
  const Measured& measured = report.measured;
  const bool gpu = on_gpu(report);
  say("%s on %s, %s, ", report.info.name.c_str(), report.info.device.c_str(), report.info.precision.c_str());
  if (!gpu) say("%d %s, ", report.threads, report.threads == 1 ? "thread" : "threads");
  say("batch %d\n", report.batch);
  say("%s\n", report.processor.c_str());
  say("maskrt %s, commit %s, %s\n", version(), commit(), report.date.c_str());
  say("picture %s, network input %s, %zu instances\n", size_text(measured.picture).c_str(),
      size_text(measured.network).c_str(), measured.instances);
  say("loaded in %.0f ms, first plan in %.0f ms", 1e3 * report.load_seconds, 1e3 * measured.plan_seconds);
  if (measured.further_plan_seconds > 0) say(", of a further size in %.0f ms", 1e3 * measured.further_plan_seconds);
  say("\n");
  say("prepared weights %.1f MB, arena %.1f MB, peak of the whole process %.1f MB\n\n",
      1e-6 * static_cast<double>(measured.memory.prepared_weights), 1e-6 * static_cast<double>(measured.memory.arena),
      1e-6 * static_cast<double>(report.peak_memory));
  say("%-14s  %10s  %10s  %10s  %10s  %5s\n", "", "median ms", "p10", "p90", "p99", "runs");
  for (const auto& [name, seconds] : measured.stages) {
    const Spread spread = spread_of(seconds);
    say("%-14s  %10.3f  %10.3f  %10.3f  %10.3f  %5zu\n", name.c_str(), spread.median, spread.p10, spread.p90,
        spread.p99, spread.runs);
  }
  say("decode is of one picture, the others are of a batch; whole call is from pixels to instances\n");
  if (gpu)
    say("compute is pre-processing, network and post-processing at one go; preprocess, network and postprocess are "
        "the\n"
        "same, launched one after the other; these and the copies are timed by the GPU\n"
        "network alone: the same network without them, again and again on one generated input\n");
  else
    say("network: within whole calls, after other stages have used the caches; network alone: again and again, on one\n"
        "generated input of %s\n",
        size_text(measured.network).c_str());
  if (!(measured.picture_network == measured.network))
    say("the model turns pictures of %s into %s: whole call and the stages within are of that size\n",
        size_text(measured.picture).c_str(), size_text(measured.picture_network).c_str());
  print_parts(report);
  if (!layers) return;
  const Sum all = all_of(measured.layers);
  print_layers(measured.layers, all);
  print_operations(measured.layers, all);
  explain_bound(report, all);
}

std::string bench_json(const BenchReport& report) {
  const Measured& measured = report.measured;
  Json json = {{"model", report.info.name},
               {"device", report.info.device},
               {"processor", report.processor},
               {"version", version()},
               {"commit", commit()},
               {"date", report.date},
               {"precision", report.info.precision},
               {"threads", report.threads},
               {"batch", report.batch},
               {"size", size_text(measured.network)},
               {"picture", size_text(measured.picture)},
               {"picture_size", size_text(measured.picture_network)},
               {"instances", measured.instances},
               {"load_ms", 1e3 * report.load_seconds},
               {"plan_ms", 1e3 * measured.plan_seconds},
               {"prepared_weights_bytes", measured.memory.prepared_weights},
               {"arena_bytes", measured.memory.arena},
               {"peak_memory_bytes", report.peak_memory}};
  if (measured.further_plan_seconds > 0) json["further_plan_ms"] = 1e3 * measured.further_plan_seconds;
  json["warmup"] = measured.warmup;
  for (const auto& [name, seconds] : measured.stages) {
    const Spread spread = spread_of(seconds);
    json[key_of(name)] = {{"median_ms", spread.median},
                          {"p10_ms", spread.p10},
                          {"p90_ms", spread.p90},
                          {"p99_ms", spread.p99},
                          {"runs", spread.runs}};
  }
  const std::vector<CallPart> parts = parts_of_call(measured);
  json["frames_per_second"] = frames_per_second(parts, report.batch);
  json["modules"] = Json::array();
  for (const CallPart& part : parts) {
    Json module = {{"name", part.name}, {"ms", 1e3 * part.seconds}, {"share", share(part.seconds, seconds_of(parts))}};
    if (part.layers > 0) module["layers"] = part.layers;
    json["modules"].push_back(std::move(module));
  }
  const Sum all = all_of(measured.layers);
  if (all.bound > 0) {
    json["peak"] = {{"flops", report.peak.flops}, {"memory_bytes", report.peak.bytes}};
    if (report.peak.cache > 0) {
      json["peak"]["cache_bytes"] = report.peak.cached_bytes;
      json["peak"]["cache_size"] = report.peak.cache;
    }
    json["bound_share"] = share(all.bound, network_seconds(measured));
  }
  json["all_layers"] = json_of(all, all);
  json["operations"] = Json::array();
  for (const Sum& sum : by_operation(measured.layers)) {
    Json operation = {{"op", sum.operation}, {"layers", sum.layers}};
    operation.update(json_of(sum, all));
    json["operations"].push_back(std::move(operation));
  }
  json["layers"] = Json::array();
  for (const LayerTiming& layer : measured.layers) {
    Sum one;
    one.add(layer);
    Json described = {
        {"name", layer.name}, {"module", layer.module}, {"op", layer.operation}, {"algorithm", layer.algorithm}};
    described.update(json_of(one, all));
    json["layers"].push_back(std::move(described));
  }
  return json.dump(1);
}

}  // namespace maskrt::cli
