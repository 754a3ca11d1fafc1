// Model files, loaded and run on the CPU device: the network must give what the interpreter gives in double precision,
// as the file has it and rewritten, and detecting in a picture must end. Models that would take long are left out.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "graph/model_file.h"
#include "graph/rewrites/rewrites.h"
#include "memory_source.h"
#include "runtime/input_image.h"
#include "support/device_run.h"
#include "target.h"

namespace {

using namespace maskrt;
using testing::Map;

constexpr double kMostFlops = 2e6;
constexpr std::int64_t kMostElements = 1 << 16;  // of one value
constexpr double kLargestNumber = 1e4;

/// Whether the model takes little enough time and memory at that size.
bool is_small(const graph::Graph& graph, std::int64_t batch, std::int64_t height, std::int64_t width) {
  const auto extents = graph::infer_extents(graph, batch, height, width);
  double flops = 0;
  for (const graph::Node& node : graph.nodes) {
    for (const graph::ValueId value : node.outputs)
      if (extents[static_cast<std::size_t>(value)].elements() > kMostElements) return false;
    flops += graph::cost_of(graph, node, extents).flops;
  }
  return flops <= kMostFlops;
}

double largest(const Map& map) {
  double most = 0;
  for (const double value : map.data) most = std::max(most, std::isfinite(value) ? std::abs(value) : INFINITY);
  return most;
}

/// Every value as the graph defines it, and once more with each number disturbed by 2^-14 of itself or less. How far
/// the two are apart tells how far rounding in fp32 may take a device.
struct Expected {
  std::vector<Map> exact, disturbed;
  double largest = 0;
};

Expected expect(const graph::Graph& graph, const Map& input) {
  const auto extents = graph::infer_extents(graph, input.extent.batch, input.extent.height, input.extent.width);
  Expected expected{std::vector<Map>(graph.values.size()), std::vector<Map>(graph.values.size()), 0};
  std::mt19937 random(1);
  const auto disturb = [&](Map map) {
    for (double& value : map.data) value *= 1 + (static_cast<double>(random() % 2001) / 1000 - 1) * 0x1p-14;
    return map;
  };
  const auto first = static_cast<std::size_t>(graph.nodes[0].output());
  expected.exact[first] = input;
  expected.disturbed[first] = disturb(input);
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const graph::Node& node = graph.nodes[i];
    std::vector<Map> exact = testing::interpret_node(node, expected.exact, extents);
    std::vector<Map> disturbed = testing::interpret_node(node, expected.disturbed, extents);
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      const auto id = static_cast<std::size_t>(node.outputs[k]);
      expected.exact[id] = std::move(exact[k]);
      expected.disturbed[id] = disturb(std::move(disturbed[k]));
      expected.largest = std::max(expected.largest, largest(expected.exact[id]));
    }
  }
  return expected;
}

/// The largest constant; infinite where one is no number.
double largest_constant(const graph::Graph& graph) {
  float most = 0;
  for (const graph::Node& node : graph.nodes)
    for (const auto& constant : graph::constants_of(node.operation))
      for (const float value : constant->evaluate())
        most = std::max(most, std::isfinite(value) ? std::abs(value) : INFINITY);
  return static_cast<double>(most);
}

void compare(const graph::Graph& graph, const Expected& expected, const testing::DeviceRun& run) {
  for (const auto& [name, got] : run.outputs) {
    const auto id = static_cast<std::size_t>(graph.find(name));
    const Map &want = expected.exact[id], &disturbed = expected.disturbed[id];
    fuzz::require(got.extent == want.extent, "an output has the extent that the graph says");
    double apart = 0;
    for (std::size_t i = 0; i < want.data.size(); ++i)
      apart = std::max(apart, std::abs(want.data[i] - disturbed.data[i]));
    if (!std::isfinite(apart)) continue;
    const double bound = 4 * apart + 1e-3 * std::max(1.0, expected.largest);
    for (std::size_t i = 0; i < want.data.size(); ++i) {
      if (std::abs(got.data[i] - want.data[i]) <= bound) continue;
      std::fprintf(stderr, "output %s, number %zu of %zu: got %g, want %g, bound %g\n", name.c_str(), i,
                   want.data.size(), got.data[i], want.data[i], bound);
      fuzz::require(false, "an output is what the interpreter gives");
    }
  }
}

void detect(Network& network, const graph::ModelDescription& model) {
  std::vector<std::uint8_t> pixels(5 * 7 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(37 * i);
  const Image images[] = {Image::from_pixels(pixels.data(), 7, 5, PixelFormat::rgb)};
  auto pictures = images_to_process(images);
  const ImageSize size = fit(pictures, input_settings(model.preprocessing));
  if (!is_small(model.graph, 1, size.height, size.width)) return;
  const auto stream = cpu::CpuDevice().open_stream({1});
  Arena arena(*stream);
  Plan plan(network, 1, size.height, size.width, 1);
  arena.reserve(plan.arena_bytes());
  DetectionOptions options;
  StageSeconds seconds;
  for (const Detected& detected :
       plan.execution(arena, normalisation_of(model.preprocessing)).detect(pictures, options, seconds))
    for (const auto& instance : std::get<std::vector<kernels::DetectedInstance>>(detected))
      fuzz::require(instance.area >= 0 && instance.area <= 5 * 7, "an area is at most the picture's");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool by_rule = ::setenv("MASKRT_CPU_TUNE", "0", 1) == 0;  // measuring takes long and is no constant
  if (!by_rule) return 0;
  const auto file = fuzz::memory_source({data, size});
  fuzz::answered([&] {
    const auto model = graph::read_model(file);
    graph::Graph rewritten = model.graph;
    graph::rewrite(rewritten, {}, cpu::CpuDevice().wanted_rewrites());
    const auto channels = std::get<graph::Input>(model.graph.nodes[0].operation).channels;
    // The name tells the size, so that the fuzzer can change it.
    const auto letter = [&](std::size_t i) { return i < model.name.size() ? model.name[i] & 31 : 0; };
    const std::int64_t batch = 1 + letter(0) % 2, height = 1 + letter(1), width = 1 + letter(2);
    if (!is_small(model.graph, batch, height, width)) return;
    const bool comparable = largest_constant(model.graph) <= kLargestNumber;
    testing::Map input = testing::zeros({batch, height, width, channels, false});
    std::mt19937 random(7);
    for (double& value : input.data) value = (static_cast<double>(random() % 9) - 4) / 8;
    const Expected expected = expect(model.graph, input);
    for (const graph::Graph* graph : {&model.graph, static_cast<const graph::Graph*>(&rewritten)}) {
      fuzz::answered([&] {
        const auto network = cpu::CpuDevice().prepare(*graph, Precision::fp32);
        const auto run = testing::run_on_cpu(*network, input, 1);
        if (comparable && expected.largest <= kLargestNumber) compare(model.graph, expected, run);
      });
    }
    if (channels != 3) return;
    if (graph::tasks_of(model.head).empty()) return;
    detect(*cpu::CpuDevice().prepare({std::move(rewritten), model.head}, Precision::fp32), model);
  });
  return 0;
}
