// Instances: the plain loops against the reference's on the fixtures, the CPU's against the plain ones anywhere.
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "graph/safetensors.h"
#include "kernels/heads/sparse_inst/sparse_inst.h"
#include "kernels/masks/pack_columns.h"
#include "runtime/mask/rle.h"
#include "testing/mask_scenes.h"

namespace maskrt::kernels {
namespace {

using Postprocess = std::vector<DetectedInstance> (*)(const Tensor&, const Tensor&, const Tensor&, std::int64_t,
                                                      const Geometry&, const SparseInstSettings&);

std::int64_t pixels_apart(const MaskBits& a, const std::vector<std::uint64_t>& words) {
  REQUIRE(a.words.size() == words.size());
  std::int64_t apart = 0;
  for (std::size_t i = 0; i < words.size(); ++i) apart += std::popcount(a.words[i] ^ words[i]);
  return apart;
}

/// The network's input size for one image of a fixture: INPUT.MIN_SIZE_TEST and MAX_SIZE_TEST, as the configs have
/// them.
std::pair<int, int> resized_size(int width, int height, int min_size, int max_size) {
  double scale = static_cast<double>(min_size) / std::min(width, height);
  if (scale * std::max(width, height) > max_size) scale = static_cast<double>(max_size) / std::max(width, height);
  return {static_cast<int>(width * scale + 0.5), static_cast<int>(height * scale + 0.5)};
}

/// "  KEY: 123" in a fixture's config.
double config_number(const std::filesystem::path& config, const std::string& key) {
  std::ifstream file(config);
  for (std::string line; std::getline(file, line);) {
    const auto at = line.find(key + ":");
    if (at != std::string::npos) return std::stod(line.substr(at + key.size() + 1));
  }
  throw Error(config.string() + " has no " + key);
}

TEST_CASE("fixture logits give the reference's instances") {
  const std::string name = GENERATE("sparse_inst_r50_giam", "sparse_inst_r50_base", "sparse_inst_r50_giam_soft",
                                    "sparse_inst_r50_giam_g2", "sparse_inst_r18_base", "sparse_inst_x50_giam");
  const bool plain = GENERATE(true, false);
  const Postprocess version = plain ? sparse_inst_ref : sparse_inst_cpu;
  INFO(name << ", " << (plain ? "plain" : "CPU") << " loops");
  const std::filesystem::path folder = std::filesystem::path(MASKRT_TEST_DATA) / "fixtures" / name;
  const auto tensors = graph::Safetensors::read(folder / "expected.safetensors");
  const auto images = nlohmann::json::parse(std::ifstream(folder / "expected.json")).at("batched");

  const Shape classes_shape = tensors.tensors.at("class_logits").shape;
  const Shape masks_shape = tensors.tensors.at("mask_logits").shape;
  auto class_values = tensors.tensors.at("class_logits").to_floats();
  auto objectness_values = tensors.tensors.at("objectness_logits").to_floats();
  auto mask_values = tensors.tensors.at("mask_logits").to_floats();
  const std::int64_t batch = classes_shape[0], queries = classes_shape[1];
  const Tensor class_logits = dense(class_values.data(), DataType::f32, batch, queries, 1, classes_shape[2], 0);
  const Tensor objectness = dense(objectness_values.data(), DataType::f32, batch, queries, 1, 1, 0);
  const Tensor mask_logits =
      dense(mask_values.data(), DataType::f32, batch, masks_shape[2], masks_shape[3], queries, 1);
  // The expected tensors were rounded to fp32 once; sums over a map of fp32 sigmoids add their own roundings.
  const double score_bound = 1e-6;

  const auto config = folder / "config.yaml";
  const int min_size = static_cast<int>(config_number(config, "MIN_SIZE_TEST"));
  const int max_size = static_cast<int>(config_number(config, "MAX_SIZE_TEST"));
  SparseInstSettings settings;
  settings.score_threshold = static_cast<float>(config_number(config, "CLS_THRESHOLD"));
  settings.mask_threshold = static_cast<float>(config_number(config, "MASK_THRESHOLD"));
  std::vector<Geometry> geometries;
  int padded_width = 0, padded_height = 0;
  for (const auto& image : images) {
    Geometry g;
    g.original_width = image.at("width");
    g.original_height = image.at("height");
    std::tie(g.resized_width, g.resized_height) = resized_size(g.original_width, g.original_height, min_size, max_size);
    padded_width = std::max(padded_width, (g.resized_width + 31) / 32 * 32);
    padded_height = std::max(padded_height, (g.resized_height + 31) / 32 * 32);
    geometries.push_back(g);
  }
  REQUIRE(static_cast<std::int64_t>(geometries.size()) == batch);
  for (std::size_t b = 0; b < geometries.size(); ++b) {
    geometries[b].padded_width = padded_width;
    geometries[b].padded_height = padded_height;
    const auto got =
        version(class_logits, objectness, mask_logits, static_cast<std::int64_t>(b), geometries[b], settings);
    const auto& want = images[b].at("instances");
    INFO("image " << b);
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      INFO("instance " << i);
      CHECK(got[i].class_id == want[i].at("class_id").get<int>());
      CHECK(std::abs(got[i].score - want[i].at("score").get<double>()) <= score_bound);
      const auto& size = want[i].at("segmentation").at("size");
      const auto runs = rle::from_string(size[0], size[1], want[i].at("segmentation").at("counts").get<std::string>());
      const std::int64_t area = std::int64_t{size[0].get<int>()} * size[1].get<int>();
      CHECK(pixels_apart(got[i].mask, rle::to_bits(runs)) <= area / 1000);
    }
  }
}

/// Logits for `count` queries that all pass the threshold.
struct Scene {
  std::vector<float> classes, objectness, masks;
  Tensor class_logits, objectness_logits, mask_logits;
};

Scene scene(int map_width, int map_height, int count, bool blobs, int block = 1) {
  Scene s;
  testing::Uniform uniform(11);
  constexpr int classes = 5;
  for (int i = 0; i < count * classes; ++i) s.classes.push_back(4 * uniform() - 2);
  for (int i = 0; i < count; ++i) s.objectness.push_back(4 * uniform() - 1);
  const auto planar = blobs ? testing::blob_logits(map_width, map_height, count, 21)
                            : testing::noise_logits(map_width, map_height, count, 21);
  Tensor from = dense(const_cast<float*>(planar.data()), DataType::f32, 1, map_height, map_width, count, 1);
  s.mask_logits = dense(nullptr, DataType::f32, 1, map_height, map_width, count, block);
  s.masks.resize(static_cast<std::size_t>(s.mask_logits.batch_stride));
  s.mask_logits.data = s.masks.data();
  for (int n = 0; n < count; ++n) {
    for (int y = 0; y < map_height; ++y) {
      for (int x = 0; x < map_width; ++x) {
        s.masks[static_cast<std::size_t>(s.mask_logits.index(0, y, x, n))] =
            planar[static_cast<std::size_t>(from.index(0, y, x, n))];
      }
    }
  }
  s.class_logits = dense(s.classes.data(), DataType::f32, 1, count, 1, classes, 0);
  s.objectness_logits = dense(s.objectness.data(), DataType::f32, 1, count, 1, 1, 0);
  return s;
}

TEST_CASE("the CPU's masks equal the plain ones at any geometry") {
  struct Case {
    int map_width, map_height;
    Geometry geometry;
  };
  const auto [map_width, map_height, geometry] =
      GENERATE(values<Case>({{40, 32, {320, 240, 160, 120, 160, 128}},  // to twice the input
                             {40, 32, {71, 53, 160, 120, 160, 128}},    // to less than half of it
                             {40, 32, {160, 120, 160, 120, 160, 128}},  // as it is
                             {40, 32, {1, 1, 160, 120, 160, 128}},
                             {40, 32, {1, 500, 160, 120, 160, 128}},
                             {40, 32, {500, 1, 160, 120, 160, 128}},
                             {40, 32, {65, 63, 1, 1, 160, 128}},  // a crop of one pixel
                             {1, 1, {64, 64, 20, 30, 32, 32}},
                             {7, 5, {130, 65, 28, 20, 32, 32}},
                             {20, 16, {300, 129, 150, 65, 160, 96}},     // a map at a stride that is no whole number
                             {160, 128, {97, 127, 150, 120, 160, 128}},  // a map as large as the input
                             {300, 200, {65, 64, 90, 60, 96, 64}}}));    // a map larger than the input
  const bool blobs = GENERATE(true, false);
  const int block = GENERATE(1, 8, 16);
  INFO("map " << map_width << " x " << map_height << " to " << geometry.original_width << " x "
              << geometry.original_height << (blobs ? ", blobs" : ", noise") << ", block " << block);
  const Scene s = scene(map_width, map_height, 9, blobs, block);
  const auto got = sparse_inst_cpu(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, {});
  const auto want = sparse_inst_ref(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, {});
  REQUIRE(got.size() == want.size());
  REQUIRE(got.size() == 9);
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("instance " << i);
    CHECK(got[i].query == want[i].query);
    CHECK(got[i].class_id == want[i].class_id);
    CHECK(got[i].score == Approx(want[i].score).epsilon(1e-6));
    // Two orders of the same sum of at most 16 products: values within a few roundings of the threshold may differ.
    const std::int64_t pixels = std::int64_t{geometry.original_width} * geometry.original_height;
    const std::int64_t apart = pixels_apart(got[i].mask, want[i].mask.words);
    CHECK(apart <= pixels / 10000);
    if (apart == 0) {
      CHECK(got[i].area == want[i].area);
      CHECK(got[i].x == want[i].x);
      CHECK(got[i].y == want[i].y);
      CHECK(got[i].width == want[i].width);
      CHECK(got[i].height == want[i].height);
    }
    // Nothing below the last row.
    const int spare = got[i].mask.words_per_column * 64 - geometry.original_height;
    for (int x = 0; x < geometry.original_width && spare > 0; ++x) {
      const std::uint64_t last =
          got[i].mask.words[static_cast<std::size_t>((x + 1) * got[i].mask.words_per_column) - 1];
      REQUIRE(last >> (64 - spare) == 0);
    }
  }
}

TEST_CASE("every version of the packing loop that this processor can run gives the same bits") {
  const int taps = GENERATE(1, 2, 3, 4);
  alignas(64) float columns[4][64];
  constexpr int count = 9, stride = 3;
  float weights[4][count];
  testing::Uniform uniform(31);
  for (auto& column : columns) {
    for (float& value : column) value = uniform();
  }
  for (int i = 0; i < count; ++i) {
    float sum = 0;
    for (int k = 0; k < taps; ++k) sum += weights[k][i] = uniform() + 0.01f;
    for (int k = 0; k < taps; ++k) weights[k][i] /= sum;
  }
  ColumnBlend blend;
  blend.taps = taps;
  blend.threshold = 0.45f;
  for (int k = 0; k < taps; ++k) {
    blend.columns[k] = columns[k];
    blend.weights[k] = weights[k];
  }
  for (const PackColumnsVersion& version : pack_columns_versions()) {
    INFO(version.name << ", " << taps << " taps");
    std::vector<std::uint64_t> words(count * stride, 0x5555);
    version.pack(blend, count, words.data(), stride);
    for (int i = 0; i < count * stride; ++i) {
      if (i % stride != 0) {
        REQUIRE(words[static_cast<std::size_t>(i)] == 0x5555);
        continue;
      }
      for (int y = 0; y < 64; ++y) {
        double sum = 0;
        for (int k = 0; k < taps; ++k) sum += static_cast<double>(columns[k][y]) * weights[k][i / stride];
        // Four products and sums below 1 round by at most half an ulp, 2^-25, each.
        if (std::abs(sum - 0.45f) < 8 * 0x1p-25) continue;
        INFO("column " << i / stride << ", row " << y << ", " << sum);
        REQUIRE((words[static_cast<std::size_t>(i)] >> y & 1) == (sum > 0.45f ? 1 : 0));
      }
    }
  }
}

TEST_CASE("maps that lie wholly on one side of the threshold") {
  const Postprocess version = GENERATE(true, false) ? sparse_inst_ref : sparse_inst_cpu;
  const float logit = GENERATE(-5.0f, 5.0f);
  Scene s = scene(12, 8, 2, false);
  std::fill(s.masks.begin(), s.masks.end(), logit);
  const Geometry geometry{101, 67, 48, 32, 48, 32};
  const auto found = version(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, {});
  REQUIRE(found.size() == 2);
  const bool full = logit > 0;
  CHECK(found[0].area == (full ? 101 * 67 : 0));
  CHECK(found[0].x == 0);
  CHECK(found[0].y == 0);
  CHECK(found[0].width == (full ? 101 : 0));
  CHECK(found[0].height == (full ? 67 : 0));
  // An empty mask has no mean probability: the score becomes 0 and the instance stays.
  if (!full) CHECK(found[0].score == 0);
}

TEST_CASE("scores and thresholds") {
  const Postprocess version = GENERATE(true, false) ? sparse_inst_ref : sparse_inst_cpu;
  Scene s = scene(8, 8, 3, false);
  std::fill(s.masks.begin(), s.masks.end(), 2.0f);
  // Query 0: two classes whose sigmoids saturate to 1 alike, the second by the larger logit. Query 1: below. Query 2:
  // low.
  s.classes = {-9, 30, 40, 1, 0, -40, -40, -40, -40, -40, -2, -3, -4, -5, -6};
  s.objectness = {0, 0, 0};
  const Geometry geometry{16, 16, 32, 32, 32, 32};
  const float mask_mean = 1 / (1 + std::exp(-2.0f));

  SparseInstSettings settings;
  auto found = version(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, settings);
  REQUIRE(found.size() == 2);
  CHECK(found[0].query == 0);
  CHECK(found[0].class_id == 1);
  CHECK(found[0].score == Approx(std::sqrt(0.5f) * mask_mean).epsilon(1e-6));
  CHECK(found[1].query == 2);
  CHECK(found[1].class_id == 0);

  settings.minimum_score = 0.5f;
  found = version(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, settings);
  CHECK(found.size() == 1);

  settings.masks = false;
  found = version(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, settings);
  REQUIRE(found.size() == 1);
  CHECK(found[0].score == Approx(std::sqrt(0.5f) * mask_mean).epsilon(1e-6));
  CHECK(found[0].area == 0);
  CHECK(found[0].mask.words.empty());

  settings.score_threshold = 0.9f;
  CHECK(version(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, settings).empty());
}

TEST_CASE("logits that are not numbers leave no pixels and do not stop the others") {
  Scene s = scene(16, 16, 2, true);
  std::fill_n(s.masks.begin(), 256, std::numeric_limits<float>::quiet_NaN());
  const Geometry geometry{70, 70, 64, 64, 64, 64};
  const auto got = sparse_inst_cpu(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, {});
  const auto want = sparse_inst_ref(s.class_logits, s.objectness_logits, s.mask_logits, 0, geometry, {});
  REQUIRE(got.size() == 2);
  CHECK(got[0].area == 0);
  CHECK(want[0].area == 0);
  CHECK(got[1].area == want[1].area);
}

}  // namespace
}  // namespace maskrt::kernels
