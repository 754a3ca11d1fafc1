// Networks of the fixtures, converted from the authors' checkpoints and evaluated in double precision, against the
// tensors that the authors' code computes in double precision.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "graph/rewrites/rewrites.h"
#include "kernels/preprocess/preprocess.h"
#include "runtime/input_image.h"
#include "support/files.h"
#include "support/fixture_checks.h"
#include "support/interpreter.h"

namespace maskrt::testing {
namespace {

// The pictures, resized to the bytes that Pillow makes, then normalised in fp32, as the authors' code does; zeros
// beyond.
Map input_of(const Fixture& fixture) {
  const graph::Preprocessing& preprocessing = fixture.model.preprocessing;
  REQUIRE(preprocessing.rgb);
  auto pictures = images_to_process(fixture.images);
  const ImageSize padded = fit(pictures, input_settings(preprocessing));
  Map input = zeros({static_cast<std::int64_t>(pictures.size()), padded.height, padded.width, 3});
  for (std::size_t b = 0; b < pictures.size(); ++b) {
    const kernels::Pixels& pixels = pictures[b].pixels;
    REQUIRE(pixels.order == kernels::PixelOrder::rgb);
    const int height = pictures[b].geometry.resized_height, width = pictures[b].geometry.resized_width;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    kernels::resize_pillow_ref(pixels.data, pixels.width, pixels.height, 3, bytes.data(), width, height);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (int c = 0; c < 3; ++c)
          input(static_cast<std::int64_t>(b), y, x, c) =
              (static_cast<float>(bytes[static_cast<std::size_t>((y * width + x) * 3 + c)]) - preprocessing.mean[c]) /
              preprocessing.std[c];
  }
  return input;
}

struct Distance {
  double rms = 0, deviation = 0;
};

Distance distance_between(const std::vector<float>& got, const std::vector<float>& want) {
  double apart = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    apart += std::pow(double{got[i]} - double{want[i]}, 2);
    sum += double{want[i]};
    squares += std::pow(double{want[i]}, 2);
  }
  const auto count = static_cast<double>(got.size());
  return {std::sqrt(apart / count), std::sqrt(std::max(0.0, squares / count - std::pow(sum / count, 2)))};
}

// All fixtures but for those at full width, which would take the interpreter minutes.
std::vector<Fixture> narrow_fixtures() {
  std::vector<Fixture> fixtures;
  const TemporaryFolder scratch;
  for (const auto& folder : fixture_folders())
    if (!folder.filename().string().starts_with("wide_")) fixtures.push_back(load_fixture(folder, scratch.path()));
  return fixtures;
}

// The expected tensors that are values of the graph: maps of what is found at an image's own size are none.
std::map<std::string, HostTensor> expected_values(const Fixture& fixture) {
  std::map<std::string, HostTensor> values;
  for (const auto& [name, tensor] : fixture.tensors)
    if (!name.starts_with("panoptic.") && !name.starts_with("semantic.")) values.emplace(name, tensor);
  return values;
}

// A value as the fixture has it, which has query_features [B, C, Q].
std::vector<float> numbers_of(const Map& map, const std::string& name) {
  if (name != "query_features") return to_nchw(map);
  Map transposed = map;
  transposed.extent.list = false;
  return to_nchw(transposed);
}

// Positions of queries as the authors' code selected them: nearly tied ones may come in another order.
std::map<graph::ValueId, Map> given_positions(const Fixture& fixture, const Map& input) {
  const auto positions = fixture.tensors.find("query_positions");
  if (positions == fixture.tensors.end()) return {};
  const graph::Graph& graph = fixture.model.graph;
  const graph::ValueId value = std::get<graph::FastInstHead>(fixture.model.head).query_positions;
  const auto extents = graph::infer_extents(graph, input.extent.batch, input.extent.height, input.extent.width);
  return {{value, from_nchw(extents[static_cast<std::size_t>(value)], positions->second.values)}};
}

TEST_CASE("networks of the fixtures compute what the authors' code computes") {
  const auto fixtures = narrow_fixtures();
  REQUIRE(fixtures.size() >= 8);
  for (const Fixture& fixture : fixtures) {
    INFO(fixture.name);
    const graph::Graph& graph = fixture.model.graph;
    graph::check(graph);
    // In double precision the same queries are selected, in the same order.
    const auto values = interpret(graph, input_of(fixture));
    for (const auto& [name, tensor] : expected_values(fixture)) {
      INFO(name);
      REQUIRE(graph.find(name) >= 0);
      const auto got = numbers_of(values[static_cast<std::size_t>(graph.find(name))], name);
      REQUIRE(got.size() == tensor.values.size());
      const Distance distance = distance_between(got, tensor.values);
      // What is expected was rounded to fp32, and so is what was got.
      CHECK(distance.rms <= 1e-6 * distance.deviation);
    }
  }
}

TEST_CASE("rewritten networks of the fixtures compute the same") {
  for (const Fixture& fixture : narrow_fixtures()) {
    INFO(fixture.name);
    graph::Graph graph = fixture.model.graph;
    graph::Head head = fixture.model.head;
    graph::rewrite(graph, head);
    CHECK(graph.nodes.size() < fixture.model.graph.nodes.size());
    const Map input = input_of(fixture);
    const auto values = interpret(graph, input, given_positions(fixture, input));
    std::map<std::string, HostTensor> found;
    for (const auto& [name, tensor] : expected_values(fixture)) {
      if (graph.find(name) < 0) continue;
      const Map& map = values[static_cast<std::size_t>(graph.find(name))];
      // The head may double the mask logits now.
      if (map.data.size() == tensor.values.size()) found[name] = {tensor.shape, numbers_of(map, name)};
    }
    CHECK(found.contains("class_logits"));
    // Constants that rewrites combine are rounded to fp32.
    compare_tensors(fixture, found, Compute::fp32, false);
  }
}

TEST_CASE("networks at full width have the sizes of the authors' tensors") {
  for (const auto& folder : fixture_folders()) {
    if (!folder.filename().string().starts_with("wide_")) continue;
    const TemporaryFolder scratch;
    const Fixture fixture = load_fixture(folder, scratch.path());
    INFO(fixture.name);
    const graph::Extent input = input_of(fixture).extent;
    const auto extents = graph::infer_extents(fixture.model.graph, input.batch, input.height, input.width);
    for (const auto& [name, tensor] : fixture.tensors) {
      INFO(name);
      REQUIRE(fixture.model.graph.find(name) >= 0);
      const graph::Extent& extent = extents[static_cast<std::size_t>(fixture.model.graph.find(name))];
      const bool positions = extent.element == graph::Element::integer;  // [B, Q]
      CHECK(tensor.shape.back() == (positions ? extent.height : extent.list ? extent.channels : extent.width));
    }
  }
}

}  // namespace
}  // namespace maskrt::testing
