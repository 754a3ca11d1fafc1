// `maskrt bench`: how long each stage, each module and each layer takes.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <ctime>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "bench_report.h"
#include "command.h"
#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"
#include "measure.h"
#include "options.h"
#include "outputs.h"
#include "runtime/model.h"

namespace maskrt::cli {
namespace {

struct BenchArguments {
  std::string model, json;
  std::optional<Size> size, image;
  ResizeOptions resize;
  int batch = 1, runs = 0, warmup = 2;
  bool layers = false;
  DeviceOptions device;
  RewriteOptions rewrites;
};

/// Bytes of memory that the process has had at most; 0 where the system does not tell. Not getrusage's figure, which
/// counts what the program that started this one had then.
std::size_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

/// Date of the measurement, in UTC.
std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  char text[16];
  std::strftime(text, sizeof text, "%F", ::gmtime_r(&now, &utc));
  return text;
}

int bench(const BenchArguments& arguments) {
  graph::FileRoles roles;
  add_inputs(roles, arguments.model, arguments.device);
  roles.output(arguments.json);
  roles.check();
  const auto start = std::chrono::steady_clock::now();
  ModelOptions options = arguments.device.model_options();
  options.rewrites_off = arguments.rewrites.rewrites_off();
  const Model model = load_model(arguments.model, options);
  note_bounded_resize(model.info(), arguments.resize);
  const std::chrono::duration<double> load = std::chrono::steady_clock::now() - start;

  MeasureSettings settings;
  settings.size = arguments.size;
  settings.image = arguments.image;
  settings.resize = arguments.resize;
  settings.batch = arguments.batch;
  settings.runs = arguments.runs;
  settings.warmup = arguments.warmup;
  settings.further_plan = arguments.device.deterministic || !arguments.device.tuning.empty();
  settings.session = arguments.device.session_options();
  BenchReport report;
  report.info = model.info();
  report.processor = model.impl()->device->description();
  report.date = today();
  report.load_seconds = load.count();
  report.threads = arguments.device.thread_count();
  report.batch = arguments.batch;
  report.measured = measure(model, settings, [&] { report.peak_memory = peak_memory(); });
  report.peak = model.impl()->device->peak(model.impl()->precision, report.threads);
  print_bench(report, arguments.layers);
  if (!arguments.json.empty()) write_text_file(arguments.json, bench_json(report));
  return kExitOk;
}

}  // namespace

Command add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "Measures each stage, module and layer");
  const auto arguments = std::make_shared<BenchArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->required()->type_name("");
  add_size_option(*command, "--size", arguments->size,
                  "The network's input, rounded up to what the model needs (default:\n"
                  "what the model's settings make of a large picture)");
  add_size_option(*command, "--image", arguments->image, "The generated picture (default: as --size)");
  add_resize_options(*command, arguments->resize);
  add_batch_option(*command, arguments->batch);
  command->add_option("--runs", arguments->runs, "Measured runs of each stage; 0: for about three seconds, 7 to 200")
      ->check(whole_number(0, 100000))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--warmup", arguments->warmup, "Runs of each stage before those that are measured")
      ->check(whole_number(0, 100000))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--layers", arguments->layers,
                    "Print each layer's time, work, share and bound, and their sums by\noperation");
  add_output_option(*command, "--json", arguments->json, "Write all figures, those of layers too");
  add_rewrite_options(*command, arguments->rewrites, "Measure the network as it was converted, with nothing fused");
  add_device_options(*command, arguments->device);
  command->footer("Example:\n  maskrt bench model.maskrt --size 640x864 --threads 2 --layers");
  return [arguments] { return bench(*arguments); };
}

}  // namespace maskrt::cli
