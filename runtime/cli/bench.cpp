// `maskrt bench`: how long each stage and each layer takes.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "canvas.h"
#include "command.h"
#include "graph/safetensors.h"
#include "inputs.h"
#include "interrupt.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "png.h"
#include "statistics.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

struct BenchArguments {
  std::string model, json;
  std::optional<Size> size, image;
  int batch = 1, runs = 0;
  bool layers = false;
  DeviceOptions device;
};

/// Calls `run` once or twice to warm up, then until there are enough runs; `run` measures itself.
template <typename Run>
void repeat(int runs, const Run& run, const std::function<void()>& discard) {
  constexpr int fewest = 7, most = 200;
  constexpr std::chrono::seconds enough(3);
  for (int i = 0; i < 2; ++i) run();
  discard();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; runs > 0 ? i < runs : i < fewest || (i < most && std::chrono::steady_clock::now() - start < enough);
       ++i) {
    check_interrupt();
    run();
  }
}

/// A picture with the smooth, sharp and noisy parts of a photograph, always the same.
Canvas synthetic_picture(Size size) {
  Canvas picture(size.width, size.height, {96, 112, 128});
  for (int y = 0; y < size.height; ++y) {
    const auto sky = static_cast<std::uint8_t>(255 * y / size.height);
    for (int x = 0; x < size.width; ++x)
      picture.blend(x, y, {sky, 160, static_cast<std::uint8_t>(255 * x / size.width)}, 0.6f);
  }
  std::minstd_rand random(1);
  const auto below = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(std::max(1, n))); };
  for (int i = 0; i < 40; ++i) {
    const int side = 8 + below(std::max(size.height, size.width) / 4);
    const auto level = [&] { return static_cast<std::uint8_t>(below(256)); };
    const Color color = {level(), level(), level()};
    picture.fill_rounded_box({below(size.width), below(size.height), side, side}, 0.5f * static_cast<float>(side),
                             color, 1);
  }
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      picture.blend(x, y, {255, 255, 255}, 0.06f * static_cast<float>(below(256)) / 255.0f);
  return picture;
}

struct Measured {
  Size network, picture;
  bool same_size = true;  ///< pre- and post-processing were measured with a network of the size asked for
  Size picture_network;   ///< the network's input for the picture
  std::vector<double> decode, preprocess, network_seconds, postprocess;
  std::vector<LayerTiming> layers;  ///< median seconds
  std::size_t instances = 0;
};

std::vector<LayerTiming> measure_layers(Session& session, int batch, Size size, int runs) {
  std::vector<LayerTiming> layers;
  std::vector<std::vector<double>> seconds;
  repeat(
      runs,
      [&] {
        session.run_network(batch, size.height, size.width, &layers);
        seconds.resize(layers.size());
        for (std::size_t i = 0; i < layers.size(); ++i) seconds[i].push_back(layers[i].seconds);
      },
      [&] { seconds.clear(); });
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].seconds = quantile(seconds[i], 0.5);
  return layers;
}

Measured measure(const Model& model, const BenchArguments& arguments) {
  const ModelInfo info = model.info();
  const int divisibility = info.input.size_divisibility;
  Measured measured;
  if (arguments.size) measured.network = padded(*arguments.size, divisibility);
  if (arguments.image) measured.picture = *arguments.image;
  if (!arguments.size && !arguments.image)
    measured.network = padded(usual_size(info.input.min_size, info.input.max_size), divisibility);
  if (!arguments.image) measured.picture = measured.network;

  const Canvas picture = synthetic_picture(measured.picture);
  const auto jpeg = encode_jpeg(picture.rgb(), picture.width(), picture.height(), 90);
  using Clock = std::chrono::steady_clock;
  repeat(
      arguments.runs,
      [&] {
        const auto start = Clock::now();
        Image::from_bytes(jpeg);
        measured.decode.push_back(std::chrono::duration<double>(Clock::now() - start).count());
      },
      [&] { measured.decode.clear(); });

  const std::vector<Image> images(static_cast<std::size_t>(arguments.batch), Image::from_bytes(jpeg));
  const auto [height, width] = input_size(info, images);
  measured.picture_network = {height, width};
  if (arguments.image && !arguments.size) measured.network = measured.picture_network;
  measured.same_size = height == measured.network.height && width == measured.network.width;

  Session session(model, arguments.device.session_options());
  repeat(
      arguments.runs,
      [&] {
        measured.instances = session.run(images).front().size();
        const Timings timings = session.timings();
        measured.preprocess.push_back(timings.preprocess);
        measured.network_seconds.push_back(timings.network);
        measured.postprocess.push_back(timings.postprocess);
      },
      [&] {
        measured.preprocess.clear();
        measured.network_seconds.clear();
        measured.postprocess.clear();
      });
  if (!measured.same_size) {
    measured.network_seconds.clear();
    repeat(
        arguments.runs,
        [&] {
          measured.network_seconds.push_back(
              session.run_network(arguments.batch, measured.network.height, measured.network.width));
        },
        [&] { measured.network_seconds.clear(); });
  }
  if (arguments.layers || !arguments.json.empty())
    measured.layers = measure_layers(session, arguments.batch, measured.network, arguments.runs);
  return measured;
}

double total_seconds(const std::vector<LayerTiming>& layers) {
  double total = 0;
  for (const LayerTiming& layer : layers) total += layer.seconds;
  return total;
}

double gflops_per_second(const LayerTiming& layer) {
  return layer.seconds > 0 ? 1e-9 * layer.flops / layer.seconds : 0;
}

void print_layers(const std::vector<LayerTiming>& layers) {
  std::size_t longest = 5;
  for (const LayerTiming& layer : layers) longest = std::max(longest, layer.name.size());
  const int name_width = static_cast<int>(std::min<std::size_t>(longest, 56));
  std::printf("\n%-*s  %-16s  %-20s  %9s  %9s  %6s\n", name_width, "layer", "op", "algorithm", "ms", "GFLOP/s",
              "share");
  const double total = total_seconds(layers);
  double flops = 0;
  for (const LayerTiming& layer : layers) {
    std::printf("%-*s  %-16s  %-20s  %9.3f  %9.1f  %5.1f%%\n", name_width, layer.name.c_str(), layer.operation.c_str(),
                layer.algorithm.c_str(), 1e3 * layer.seconds, gflops_per_second(layer),
                total > 0 ? 100 * layer.seconds / total : 0);
    flops += layer.flops;
  }
  std::printf("%-*s  %-16s  %-20s  %9.3f  %9.1f  %5.1f%%\n", name_width, "all", "", "", 1e3 * total,
              total > 0 ? 1e-9 * flops / total : 0, 100.0);
}

void print(const ModelInfo& info, const Measured& measured, const BenchArguments& arguments, int threads) {
  std::printf("%s on %s, %s, %d %s, batch %d\n", info.name.c_str(), info.device.c_str(), info.precision.c_str(),
              threads, threads == 1 ? "thread" : "threads", arguments.batch);
  std::printf("picture %s, network input %s, %zu instances\n\n", size_text(measured.picture).c_str(),
              size_text(measured.network).c_str(), measured.instances);
  std::printf("%-12s  %10s  %10s  %10s  %5s\n", "", "median ms", "p10", "p90", "runs");
  const std::pair<const char*, const std::vector<double>*> stages[] = {{"decode", &measured.decode},
                                                                       {"preprocess", &measured.preprocess},
                                                                       {"network", &measured.network_seconds},
                                                                       {"postprocess", &measured.postprocess}};
  for (const auto& [name, seconds] : stages) {
    const Spread spread = spread_of(*seconds);
    std::printf("%-12s  %10.2f  %10.2f  %10.2f  %5zu\n", name, spread.median, spread.p10, spread.p90, spread.runs);
  }
  std::printf("decode is of one picture, the others are of a batch\n");
  if (!measured.same_size)
    std::printf("the model turns pictures of %s into %s: pre- and post-processing are of that size\n",
                size_text(measured.picture).c_str(), size_text(measured.picture_network).c_str());
  if (arguments.layers) print_layers(measured.layers);
}

void write_json(const ModelInfo& info, const Measured& measured, const BenchArguments& arguments, int threads) {
  const auto stage = [](const std::vector<double>& seconds) {
    const Spread spread = spread_of(seconds);
    return nlohmann::ordered_json{
        {"median_ms", spread.median}, {"p10_ms", spread.p10}, {"p90_ms", spread.p90}, {"runs", spread.runs}};
  };
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  const double total = total_seconds(measured.layers);
  for (const LayerTiming& layer : measured.layers)
    layers.push_back({{"name", layer.name},
                      {"op", layer.operation},
                      {"algorithm", layer.algorithm},
                      {"ms", 1e3 * layer.seconds},
                      {"gflops", gflops_per_second(layer)},
                      {"share", total > 0 ? layer.seconds / total : 0}});
  const nlohmann::ordered_json json = {{"model", info.name},
                                       {"device", info.device},
                                       {"precision", info.precision},
                                       {"threads", threads},
                                       {"batch", arguments.batch},
                                       {"size", size_text(measured.network)},
                                       {"picture", size_text(measured.picture)},
                                       {"instances", measured.instances},
                                       {"decode", stage(measured.decode)},
                                       {"preprocess", stage(measured.preprocess)},
                                       {"network", stage(measured.network_seconds)},
                                       {"postprocess", stage(measured.postprocess)},
                                       {"layers", std::move(layers)}};
  if (const fs::path folder = fs::path(arguments.json).parent_path(); !folder.empty()) make_folder(folder);
  const std::string text = json.dump(1) + "\n";
  graph::write_file(arguments.json, std::as_bytes(std::span(text)));
}

int bench(const BenchArguments& arguments) {
  const Model model = Model::load(arguments.model, arguments.device.model_options());
  const Measured measured = measure(model, arguments);
  const int threads = arguments.device.threads > 0 ? arguments.device.threads
                                                   : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  print(model.info(), measured, arguments, threads);
  if (!arguments.json.empty()) write_json(model.info(), measured, arguments, threads);
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
  command->add_option("--json", arguments->json, "Write all figures, those of layers too")->type_name("FILE");
  add_device_options(*command, arguments->device);
  command->footer("Example:\n  maskrt bench model.maskrt --size 640x864 --threads 2 --layers");
  return [arguments] { return bench(*arguments); };
}

}  // namespace maskrt::cli
