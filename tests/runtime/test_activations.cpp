// A session's instance activation maps against the interpreter, and what becomes of them. Compiled once for each
// device.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <optional>

#include "activation_planes.h"
#include "runtime/input_size.h"
#include "runtime/model.h"
#include "support/files.h"
#include "support/fixture.h"
#include "support/pictures.h"
#include "support/small_network.h"

namespace maskrt::testing {
namespace {

using Catch::Matchers::Contains;

ModelOptions with_activations(bool activations = true) {
  ModelOptions options;
  options.device = MASKRT_TEST_DEVICE;
  options.precision = Compute::fp32;
  options.deterministic = true;
  options.activations = activations;
  return options;
}

SessionOptions one_thread() {
  SessionOptions options;
  options.threads = 1;
  return options;
}

graph::ModelDescription small_description(bool softmax = false) {
  Dice dice(5);
  graph::ModelDescription description;
  description.graph = small_sparse_inst(dice, softmax);
  description.head = sparse_inst_head(description.graph);
  for (int i = 0; i < 3; ++i) description.categories.push_back({10 + i, "class " + std::to_string(i), true, {}});
  description.preprocessing.min_size = 0;  // pictures stay as large as they are
  return description;
}

Image tile() {
  static const std::vector<std::uint8_t> pixels = [] {
    std::vector<std::uint8_t> bytes(std::size_t{3} * 61 * 53);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 % 251);
    return bytes;
  }();
  return Image::from_pixels(pixels.data(), 61, 53, PixelFormat::rgb);
}

struct Plane {
  int width = 0, height = 0;
  std::vector<double> values;
};

/// PyTorch's interpolate(mode="bilinear", align_corners=False).
Plane resized(const Plane& in, int width, int height) {
  Plane out{width, height, {}};
  const auto at = [](int i, int from, int to) { return std::max(0.0, (i + 0.5) * from / to - 0.5); };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double sx = at(x, in.width, width), sy = at(y, in.height, height);
      const int x0 = std::min(static_cast<int>(sx), in.width - 1), y0 = std::min(static_cast<int>(sy), in.height - 1);
      const int x1 = std::min(x0 + 1, in.width - 1), y1 = std::min(y0 + 1, in.height - 1);
      const auto value = [&](int column, int row) {
        return in.values[static_cast<std::size_t>(row * in.width + column)];
      };
      const double above = value(x0, y0) + (value(x1, y0) - value(x0, y0)) * (sx - x0);
      const double below = value(x0, y1) + (value(x1, y1) - value(x0, y1)) * (sx - x0);
      out.values.push_back(above + (below - above) * (sy - y0));
    }
  return out;
}

Plane cropped(const Plane& in, int width, int height) {
  Plane out{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) out.values.push_back(in.values[static_cast<std::size_t>(y * in.width + x)]);
  return out;
}

/// The largest difference.
double distance(const std::vector<float>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double most = 0;
  for (std::size_t i = 0; i < found.size(); ++i) most = std::max(most, std::abs(double{found[i]} - expected[i]));
  return most;
}

/// A map of the picture by plain steps: as large as the input, cropped, and as large as asked for.
std::vector<double> by_steps(const ActivationMaps& maps, int index, std::pair<int, int> padded, ImageSize picture,
                             int width, int height) {
  const std::vector<float> map = maps.map(index);
  const Plane plane{maps.width(), maps.height(), {map.begin(), map.end()}};
  const Plane whole = resized(plane, padded.second, padded.first);
  return resized(cropped(whole, picture.width, picture.height), width, height).values;
}

}  // namespace

TEST_CASE("Activation maps are what the interpreter computes, with all rewrites and without") {
  const bool softmaxed = GENERATE(false, true), rewritten = GENERATE(true, false);
  graph::ModelDescription description = small_description(softmaxed);
  ModelOptions options = with_activations();
  if (!rewritten) options.rewrites_off = {"all"};
  Session session(make_model(description, options), one_thread());
  const Picture wide(tile(), 90, 33), high(tile(), 41, 70);
  const std::vector<Image> images = {wide.image(), high.image()};
  session.run(images);
  const std::vector<ActivationMaps> found = session.activations();
  REQUIRE(found.size() == 2);

  const HostTensor input = session.tensors(images).at("input");
  const graph::Extent extent{input.shape[0], input.shape[2], input.shape[3], input.shape[1]};
  const std::vector<Map> values = interpret(description.graph, from_nchw(extent, input.values));
  const Map& logits = values[static_cast<std::size_t>(description.graph.find("iam_logits"))];
  const HostTensor expected{{2, logits.extent.channels, logits.extent.height, logits.extent.width}, to_nchw(logits)};
  // Logits are sums that fp32 rounds: a millionth of the largest. A sigmoid moves by a quarter of that, a softmax by
  // twice that at most.
  double largest = 0;
  for (const float logit : expected.values) largest = std::max(largest, std::abs(double{logit}));
  const double bound = 1e-6 * largest * (softmaxed ? 2 : 0.25);
  for (std::size_t b = 0; b < 2; ++b) {
    REQUIRE(found[b].count() == 20);
    CHECK(found[b].queries() == 5);
    CHECK(found[b].maps_of(3) == std::vector<int>{3, 8, 13, 18});
    for (int m = 0; m < 20; ++m) {
      const std::vector<double> plane = activated(plane_of(expected, b, static_cast<std::size_t>(m)), softmaxed);
      CHECK(distance(found[b].map(m), plane) < bound);
    }
  }
}

TEST_CASE("Over the picture a map is resized as masks are, for pictures that are padded or resized") {
  graph::ModelDescription description = small_description();
  if (GENERATE(true, false)) {
    description.preprocessing.min_size = 48;
    description.preprocessing.max_size = 100;
  }
  const Model model = make_model(description, with_activations());
  Session session(model, one_thread());
  const Picture wide(tile(), 90, 33), high(tile(), 41, 170);
  const std::vector<Image> images = {wide.image(), high.image()};
  session.run(images);
  const std::vector<ActivationMaps> found = session.activations();
  const std::pair<int, int> padded = input_size(model.info(), images);
  for (std::size_t b = 0; b < 2; ++b) {
    const int width = images[b].width(), height = images[b].height();
    const ImageSize picture = resized_size({width, height}, model.info().input.min_size, model.info().input.max_size);
    for (const auto& [columns, rows] : {std::pair(width, height), {64, 64}, {1, 1}, {7, 301}}) {
      INFO("picture " << b << ", " << columns << "x" << rows);
      const std::vector<float> over = found[b].over_image(11, columns, rows);
      CHECK(distance(over, by_steps(found[b], 11, padded, picture, columns, rows)) < 1e-4);
    }
  }
}

TEST_CASE("Activation maps stay as they are when others come and when the session goes") {
  std::optional<Session> session(std::in_place, make_model(small_description(), with_activations()), one_thread());
  const Picture first(tile(), 64, 64), second(tile(), 96, 40);
  session->run(first.image());
  const ActivationMaps maps = session->activations().front();
  const std::vector<float> numbers = maps.map(5);
  session->run(second.image());
  CHECK(session->activations().front().width() != maps.width());
  session.reset();
  CHECK(maps.map(5) == numbers);
}

TEST_CASE("Results are the same with activation maps and without") {
  const TemporaryFolder scratch;
  const Fixture fixture =
      load_fixture(std::string(MASKRT_TEST_DATA) + "/fixtures/sparse_inst_r50_giam", scratch.path());
  Session with(make_model(fixture.model, with_activations(true)), one_thread());
  Session without(make_model(fixture.model, with_activations(false)), one_thread());
  const auto a = with.run(fixture.images), b = without.run(fixture.images);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].size() == b[i].size());
    for (std::size_t k = 0; k < a[i].size(); ++k) {
      CHECK(a[i][k].score == b[i][k].score);
      CHECK(a[i][k].query == b[i][k].query);
      CHECK(a[i][k].mask.rle().counts == b[i][k].mask.rle().counts);
    }
  }
}

TEST_CASE("What has no activation maps says so") {
  const Picture picture(tile(), 64, 64);
  const std::vector<Image> images = {picture.image()};
  Session session(make_model(small_description(), with_activations()), one_thread());
  CHECK_THROWS_WITH(session.activations(), Contains("activations: expected a run whose values are still there"));
  session.run(images);
  const ActivationMaps maps = session.activations().front();
  CHECK(session.kept().empty());  // nobody named any
  // Nor do they stand among the tensors that nobody asked for.
  CHECK_FALSE(session.tensors(images).contains("iam_logits"));
  CHECK_THROWS_WITH(session.activations(), Contains("found none since the plan last changed"));

  CHECK_THROWS_WITH(maps.map(20), Contains("expected a map from 0 to 19, found 20"));
  CHECK_THROWS_WITH(maps.map(-1), Contains("found -1"));
  CHECK_THROWS_WITH(maps.over_image(20, 4, 4), Contains("expected a map from 0 to 19, found 20"));
  CHECK_THROWS_WITH(maps.over_image(0, 0, 4), Contains("expected a size of at least 1x1, found 0x4"));
  CHECK_THROWS_WITH(maps.maps_of(5), Contains("expected a query from 0 to 4, found 5"));
  const ActivationMaps none;
  CHECK(none.count() == 0);
  CHECK(none.queries() == 0);
  CHECK(none.width() == 0);
  CHECK_THROWS_WITH(none.map(0), Contains("expected those of a run, found none"));

  Session unasked(make_model(small_description(), with_activations(false)), one_thread());
  unasked.run(images);
  CHECK_THROWS_WITH(unasked.activations(), Contains("loaded with ModelOptions::activations, found one without"));

  graph::ModelDescription values = small_description();
  values.head = graph::ValuesHead();
  CHECK_FALSE(make_model(values, with_activations(false)).info().has_activations);
  CHECK_THROWS_WITH(make_model(values, with_activations()),
                    Contains("expected a network with instance activation maps, found one with head values that has "
                             "none"));
}

TEST_CASE("The value of the activation maps may be kept by name, too") {
  ModelOptions options = with_activations();
  options.keep = {"iam_logits"};
  Session session(make_model(small_description(), options), one_thread());
  const Picture picture(tile(), 64, 64);
  session.run(picture.image());
  const HostTensor logits = session.kept().at("iam_logits");
  const std::vector<float> map = session.activations().front().map(7);
  CHECK(distance(map, activated(plane_of(logits, 0, 7), false)) < 1e-6);
}

}  // namespace maskrt::testing
