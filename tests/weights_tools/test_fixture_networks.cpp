// Networks of the fixtures, converted from the authors' checkpoints and evaluated in double precision, against the
// tensors that the authors' code computes in double precision.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/preprocess/preprocess.h"
#include "runtime/input_image.h"
#include "support/files.h"
#include "support/fixture.h"
#include "support/interpreter.h"

namespace maskrt::testing {
namespace {

// The pictures, resized to the bytes that Pillow makes, then normalised in fp32, as the authors' code does; zeros
// beyond.
Map input_of(const Fixture& fixture) {
  const graph::Preprocessing& preprocessing = fixture.model.preprocessing;
  REQUIRE(preprocessing.rgb);
  auto pictures = images_to_process(fixture.images);
  const ImageSize padded = fit(pictures, preprocessing);
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

TEST_CASE("networks of the fixtures compute what the authors' code computes") {
  std::size_t count = 0;
  for (const auto& folder : fixture_folders()) {
    if (folder.filename().string().find("sparse_inst") == std::string::npos) continue;
    ++count;
    const TemporaryFolder scratch;
    const Fixture fixture = load_fixture(folder, scratch.path());
    INFO(fixture.name);
    const graph::Graph& graph = fixture.model.graph;
    graph::check(graph);
    const Map input = input_of(fixture);
    // Layers of published widths would take the interpreter minutes: they are built, and their sizes are right.
    if (!fixture.every.empty()) {
      const auto extents = graph::infer_extents(graph, input.extent.batch, input.extent.height, input.extent.width);
      for (const auto& [name, tensor] : fixture.tensors) {
        INFO(name);
        REQUIRE(graph.find(name) >= 0);
        const graph::Extent& extent = extents[static_cast<std::size_t>(graph.find(name))];
        CHECK(tensor.shape.back() == (extent.list ? extent.channels : extent.width));
      }
      continue;
    }
    const auto values = interpret(graph, input);
    for (const auto& [name, tensor] : fixture.tensors) {
      INFO(name);
      REQUIRE(graph.find(name) >= 0);
      const auto got = to_nchw(values[static_cast<std::size_t>(graph.find(name))]);
      REQUIRE(got.size() == tensor.values.size());
      const Distance distance = distance_between(got, tensor.values);
      // What is expected was rounded to fp32, and so is what was got.
      CHECK(distance.rms <= 1e-6 * distance.deviation);
    }
  }
  CHECK(count >= 9);
}

}  // namespace
}  // namespace maskrt::testing
