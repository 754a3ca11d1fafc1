// `maskrt bench`: how long each stage and each layer takes.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "console.h"
#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"
#include "measure.h"
#include "options.h"
#include "outputs.h"
#include "runtime/usable_processors.h"
#include "statistics.h"

namespace maskrt::cli {
namespace {

struct BenchArguments {
  std::string model, json;
  std::optional<Size> size, image;
  int batch = 1, runs = 0;
  bool layers = false;
  DeviceOptions device;
};

/// All that is printed.
struct Report {
  ModelInfo info;
  Measured measured;
  double load_seconds = 0;
  int threads = 0, batch = 0;
};

int thread_count(const DeviceOptions& options) { return options.threads > 0 ? options.threads : usable_processors(); }

/// Bytes of memory that the process has had at most; 0 where the system does not tell. Not getrusage's figure, which
/// counts what the program that started this one had then.
std::size_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

/// A stage's name as a key.
std::string key_of(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

double total_seconds(const std::vector<LayerTiming>& layers) {
  double total = 0;
  for (const LayerTiming& layer : layers) total += layer.seconds;
  return total;
}

/// What the device needs for the layers at least; 0 where it does not tell.
double bound_seconds(const std::vector<LayerTiming>& layers) {
  double bound = 0;
  for (const LayerTiming& layer : layers) bound += layer.bound;
  return bound;
}

/// The part of the time that the device needs at least.
double bound_share(const LayerTiming& layer) { return layer.seconds > 0 ? layer.bound / layer.seconds : 0; }

/// The same of the whole network, whose layers overlap.
double bound_share(const Measured& measured) {
  return bound_seconds(measured.layers) / quantile(measured.stages.back().seconds, 0.5);
}

double gflops_per_second(const LayerTiming& layer) {
  return layer.seconds > 0 ? 1e-9 * layer.flops / layer.seconds : 0;
}

/// The width of a column: its longest text or title.
int column_width(const std::vector<LayerTiming>& layers, std::string LayerTiming::*text, const char* title) {
  std::size_t longest = std::string(title).size();
  for (const LayerTiming& layer : layers) longest = std::max(longest, (layer.*text).size());
  return static_cast<int>(longest);
}

void print_layers(const Measured& measured) {
  const std::vector<LayerTiming>& layers = measured.layers;
  const int name = column_width(layers, &LayerTiming::name, "layer");
  const int operation = column_width(layers, &LayerTiming::operation, "op");
  const int algorithm = column_width(layers, &LayerTiming::algorithm, "algorithm");
  const double total = total_seconds(layers);
  const bool bounded = bound_seconds(layers) > 0;
  const auto line = [&](const LayerTiming& layer) {
    say("%-*s  %-*s  %-*s  %9.4f  %9.1f  %5.1f%%", name, layer.name.c_str(), operation, layer.operation.c_str(),
        algorithm, layer.algorithm.c_str(), 1e3 * layer.seconds, gflops_per_second(layer),
        total > 0 ? 100 * layer.seconds / total : 0);
    if (bounded) say("  %9.4f  %8.1f%%", 1e3 * layer.bound, 100 * bound_share(layer));
    say("\n");
  };
  say("\n%-*s  %-*s  %-*s  %9s  %9s  %6s", name, "layer", operation, "op", algorithm, "algorithm", "ms", "GFLOP/s",
      "share");
  say(bounded ? "  %9s  %9s\n" : "\n", "bound ms", "of bound");
  LayerTiming all;
  all.name = "all";
  for (const LayerTiming& layer : layers) {
    line(layer);
    all.seconds += layer.seconds;
    all.flops += layer.flops;
    all.bound += layer.bound;
  }
  line(all);
  if (!bounded)
    say("GFLOP/s are of the layers as defined; winograd multiplies 2 to 4 times less than that\n");
  else
    say("the bound is what arithmetic and memory need at the GPU's highest clocks; layers are timed one by one here,\n"
        "together (\"network alone\") they reach %.1f%% of it\n",
        100 * bound_share(measured));
}

void print(const Report& report) {
  const Measured& measured = report.measured;
  const bool gpu = report.info.device.starts_with("cuda");
  say("%s on %s, %s, ", report.info.name.c_str(), report.info.device.c_str(), report.info.precision.c_str());
  if (!gpu) say("%d %s, ", report.threads, report.threads == 1 ? "thread" : "threads");
  say("batch %d\n", report.batch);
  say("picture %s, network input %s, %zu instances\n", size_text(measured.picture).c_str(),
      size_text(measured.network).c_str(), measured.instances);
  say("loaded in %.0f ms, first plan in %.0f ms", 1e3 * report.load_seconds, 1e3 * measured.plan_seconds);
  if (measured.further_plan_seconds > 0)
    say(", of a further size in %.0f ms", 1e3 * measured.further_plan_seconds);
  say("\n");
  say("prepared weights %.1f MB, arena %.1f MB, peak of the whole process %.1f MB\n\n",
      1e-6 * static_cast<double>(measured.memory.prepared_weights), 1e-6 * static_cast<double>(measured.memory.arena),
      1e-6 * static_cast<double>(peak_memory()));
  say("%-14s  %10s  %10s  %10s  %10s  %5s\n", "", "median ms", "p10", "p90", "p99", "runs");
  for (const auto& [name, seconds] : measured.stages) {
    const Spread spread = spread_of(seconds);
    say("%-14s  %10.3f  %10.3f  %10.3f  %10.3f  %5zu\n", name.c_str(), spread.median, spread.p10, spread.p90,
        spread.p99, spread.runs);
  }
  say("decode is of one picture, the others are of a batch\n");
  if (gpu) say("compute is pre-processing, network and post-processing; it and the copies are timed by the GPU\n");
  if (!(measured.picture_network == measured.network))
    say("the model turns pictures of %s into %s: pre- and post-processing are of that size\n",
        size_text(measured.picture).c_str(), size_text(measured.picture_network).c_str());
}

void write_json(const Report& report, const std::string& path) {
  const Measured& measured = report.measured;
  nlohmann::ordered_json json = {{"model", report.info.name},
                                 {"device", report.info.device},
                                 {"precision", report.info.precision},
                                 {"threads", report.threads},
                                 {"batch", report.batch},
                                 {"size", size_text(measured.network)},
                                 {"picture", size_text(measured.picture)},
                                 {"instances", measured.instances},
                                 {"load_ms", 1e3 * report.load_seconds},
                                 {"plan_ms", 1e3 * measured.plan_seconds},
                                 {"prepared_weights_bytes", measured.memory.prepared_weights},
                                 {"arena_bytes", measured.memory.arena},
                                 {"peak_memory_bytes", peak_memory()}};
  if (measured.further_plan_seconds > 0) json["further_plan_ms"] = 1e3 * measured.further_plan_seconds;
  for (const auto& [name, seconds] : measured.stages) {
    const Spread spread = spread_of(seconds);
    json[key_of(name)] = {{"median_ms", spread.median},
                          {"p10_ms", spread.p10},
                          {"p90_ms", spread.p90},
                          {"p99_ms", spread.p99},
                          {"runs", spread.runs}};
  }
  const double total = total_seconds(measured.layers);
  if (bound_seconds(measured.layers) > 0) json["bound_share"] = bound_share(measured);
  json["layers"] = nlohmann::ordered_json::array();
  for (const LayerTiming& layer : measured.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"op", layer.operation},
                              {"algorithm", layer.algorithm},
                              {"ms", 1e3 * layer.seconds},
                              {"gflops", gflops_per_second(layer)},
                              {"share", total > 0 ? layer.seconds / total : 0}});
    if (layer.bound > 0) json["layers"].back()["bound_share"] = bound_share(layer);
  }
  write_text_file(path, json.dump(1));
}

int bench(const BenchArguments& arguments) {
  graph::FileRoles roles;
  add_inputs(roles, arguments.model, arguments.device);
  roles.output(arguments.json);
  roles.check();
  const auto start = std::chrono::steady_clock::now();
  const Model model = load_model(arguments.model, arguments.device.model_options());
  const std::chrono::duration<double> load = std::chrono::steady_clock::now() - start;

  MeasureSettings settings;
  settings.size = arguments.size;
  settings.image = arguments.image;
  settings.batch = arguments.batch;
  settings.runs = arguments.runs;
  settings.layers = arguments.layers || !arguments.json.empty();
  settings.further_plan = arguments.device.deterministic || !arguments.device.tuning.empty();
  settings.session = arguments.device.session_options();
  const Report report = {model.info(), measure(model, settings), load.count(), thread_count(arguments.device),
                         arguments.batch};
  print(report);
  if (arguments.layers) print_layers(report.measured);
  if (!arguments.json.empty()) write_json(report, arguments.json);
  return exit_ok;
}

}  // namespace

Command add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "Measures each stage and each layer");
  const auto arguments = std::make_shared<BenchArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->required()->type_name("");
  add_size_option(*command, "--size", arguments->size,
                  "The network's input, rounded up to what the model needs (default:\n"
                  "what the model's settings make of a large picture)");
  add_size_option(*command, "--image", arguments->image, "The generated picture (default: as --size)");
  add_batch_option(*command, arguments->batch);
  command->add_option("--runs", arguments->runs, "Measured runs of each stage; 0: for about three seconds, 7 to 200")
      ->check(whole_number(0, 100000))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--layers", arguments->layers, "Print each layer's time, work and share");
  add_output_option(*command, "--json", arguments->json, "Write all figures, those of layers too");
  add_device_options(*command, arguments->device);
  command->footer("Example:\n  maskrt bench model.maskrt --size 640x864 --threads 2 --layers");
  return [arguments] { return bench(*arguments); };
}

}  // namespace maskrt::cli
