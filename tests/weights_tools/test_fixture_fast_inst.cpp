// What FastInst's head finds in the fixtures' own logits, against what the authors' code finds in them.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernels/heads/fast_inst/fast_inst.h"
#include "runtime/input_size.h"
#include "support/files.h"
#include "support/fixture.h"
#include "support/places.h"

namespace maskrt::testing {
namespace {

struct FastInstFixture {
  Fixture fixture;
  nlohmann::json expected;
  std::vector<kernels::Geometry> geometries;
  kernels::FastInstSettings settings;

  /// Rows [B, Q, K + 1], and maps from [B, Q, h, w], as kernels see them.
  kernels::FastInstLogits logits(std::size_t image) const {
    const HostTensor& classes = fixture.tensors.at("class_logits");
    const HostTensor& masks = fixture.tensors.at("mask_logits");
    const auto data = [](const HostTensor& tensor) { return const_cast<float*>(tensor.values.data()); };
    return {
        kernels::dense(data(classes), DataType::f32, classes.shape[0], classes.shape[1], 1, classes.shape[2], 0),
        kernels::dense(data(masks), DataType::f32, masks.shape[0], masks.shape[2], masks.shape[3], masks.shape[1], 1),
        static_cast<std::int64_t>(image)};
  }
};

std::vector<FastInstFixture> fast_inst_fixtures() {
  std::vector<FastInstFixture> all;
  const TemporaryFolder scratch;
  std::vector<std::filesystem::path> folders = {test_data() / "heads" / "fast_inst_panoptic"};
  for (const auto& folder : fixture_folders())
    if (folder.filename().string().starts_with("fastinst_")) folders.push_back(folder);
  for (const auto& folder : folders) {
    FastInstFixture one;
    one.fixture = load_fixture(folder, scratch.path());
    one.expected = nlohmann::json::parse(read_text(folder / "expected.json"));
    const graph::Preprocessing& settings = one.fixture.model.preprocessing;
    std::vector<ImageSize> sizes, resized;
    ImageSize most;
    for (const auto& image : one.expected.at("batched")) {
      sizes.push_back({image.at("width"), image.at("height")});
      resized.push_back(resized_size(sizes.back(), settings.min_size, settings.max_size));
      most.width = std::max(most.width, padded_size(resized.back().width, settings.size_divisibility));
      most.height = std::max(most.height, padded_size(resized.back().height, settings.size_divisibility));
    }
    for (std::size_t i = 0; i < sizes.size(); ++i)
      one.geometries.push_back(
          {sizes[i].width, sizes[i].height, resized[i].width, resized[i].height, most.width, most.height});
    graph::Head head = one.fixture.model.head;
    graph::set_things(head, one.fixture.model.categories);
    const auto& fast_inst = std::get<graph::FastInstHead>(head);
    one.settings.detections = fast_inst.detections;
    one.settings.object_mask_threshold = fast_inst.object_mask_threshold;
    one.settings.overlap_threshold = fast_inst.overlap_threshold;
    one.settings.resize_before_semantic = fast_inst.resize_before_semantic;
    one.settings.things = fast_inst.things;
    one.settings.things_alone = fast_inst.panoptic;
    all.push_back(std::move(one));
  }
  return all;
}

/// What finds it: the loops that define it, and the CPU device's.
struct Head {
  const char* name;
  decltype(&kernels::fast_inst_instances_ref) instances;
  decltype(&kernels::fast_inst_classes_ref) classes;
  decltype(&kernels::fast_inst_segments_ref) segments;
};
const std::vector<Head> heads = {
    {"reference", kernels::fast_inst_instances_ref, kernels::fast_inst_classes_ref, kernels::fast_inst_segments_ref},
    {"CPU", kernels::fast_inst_instances_cpu, kernels::fast_inst_classes_cpu, kernels::fast_inst_segments_cpu}};

std::int64_t pixels_apart(const kernels::MaskBits& got, const rle::Runs& want) {
  const std::vector<std::uint64_t> words = rle::to_bits(want);
  REQUIRE(words.size() == got.words.size());
  std::int64_t apart = 0;
  for (std::size_t i = 0; i < words.size(); ++i) apart += std::popcount(words[i] ^ got.words[i]);
  return apart;
}

TEST_CASE("instances of the fixtures' logits are those of the authors' code, with boxes around their masks") {
  const Head head = GENERATE(from_range(heads));
  for (const FastInstFixture& one : fast_inst_fixtures()) {
    INFO(one.fixture.name << ", " << head.name);
    REQUIRE(one.fixture.batched.size() == one.geometries.size());
    for (std::size_t image = 0; image < one.geometries.size(); ++image) {
      const auto found = head.instances(one.logits(image), one.geometries[image], one.settings);
      const std::vector<ExpectedInstance>& want = one.fixture.batched[image];
      REQUIRE(found.size() == want.size());
      for (std::size_t i = 0; i < want.size(); ++i) {
        INFO("image " << image << ", instance " << i);
        CHECK(found[i].class_id == want[i].class_id);
        // Logits were rounded to fp32: one pixel in a thousand may lie on the edge of its mask.
        CHECK(std::abs(found[i].score - want[i].score) <= 1e-5f);
        const std::int64_t apart = pixels_apart(found[i].mask, want[i].mask);
        CHECK(apart <= found[i].mask.width * found[i].mask.height / 1000);
        const auto& box = one.expected.at("batched")[image].at("instances")[i].at("bbox");
        if (apart == 0) {
          CHECK(found[i].area == want[i].area);
          const std::vector<double> got = {static_cast<double>(found[i].x), static_cast<double>(found[i].y),
                                           static_cast<double>(found[i].width), static_cast<double>(found[i].height)};
          CHECK(got == box.get<std::vector<double>>());
        }
      }
    }
  }
}

TEST_CASE("classes of pixels are scored as the authors' code scores them") {
  for (const FastInstFixture& one : fast_inst_fixtures()) {
    const auto want = one.fixture.tensors.find("semantic.0");
    if (want == one.fixture.tensors.end()) continue;
    INFO(one.fixture.name);
    const kernels::FastInstLogits logits = one.logits(0);
    const auto all = kernels::fast_inst_class_scores_ref(logits, one.geometries[0], one.settings);
    const std::vector<float>& expected = want->second.values;
    // Some fixtures hold some rows of it, as far from one another: the first, and so on.
    const auto count = static_cast<std::size_t>(want->second.shape[0]),
               rows = static_cast<std::size_t>(want->second.shape[1]),
               width = static_cast<std::size_t>(want->second.shape[2]);
    const auto height = static_cast<std::size_t>(one.geometries[0].original_height);
    REQUIRE(all.size() == count * height * width);
    REQUIRE(height % rows == 0);
    const auto taken = [&](const auto& map, std::size_t planes) {
      std::remove_cvref_t<decltype(map)> some;
      for (std::size_t row = 0; row < planes * rows; ++row) {
        const auto first = map.begin() + static_cast<std::ptrdiff_t>(row * (height / rows) * width);
        some.insert(some.end(), first, first + static_cast<std::ptrdiff_t>(width));
      }
      return some;
    };
    const std::vector<float> scores = taken(all, count);
    double worst = 0;  // the fixture rounds to fp16: 2^-11 of each number
    for (std::size_t i = 0; i < scores.size(); ++i)
      worst = std::max(worst, std::abs(double{scores[i]} - double{expected[i]}) - 0x1p-11 * double{expected[i]});
    CHECK(worst <= 1e-5);
    // The class of the best score, where fp16 does not make two of them equal.
    for (const Head& head : heads) {
      INFO(head.name);
      const auto classes = taken(head.classes(logits, one.geometries[0], one.settings), 1);
      const std::size_t plane = classes.size();
      std::size_t apart = 0;
      for (std::size_t i = 0; i < plane; ++i) {
        float most = 0;
        for (std::size_t c = 0; c < count; ++c) most = std::max(most, expected[c * plane + i]);
        apart += expected[static_cast<std::size_t>(classes[i]) * plane + i] < most;
      }
      CHECK(apart == 0);
    }
  }
}

TEST_CASE("segments are those of the authors' code: their ids at each pixel, classes, and which are things") {
  const Head head = GENERATE(from_range(heads));
  for (const FastInstFixture& one : fast_inst_fixtures()) {
    const auto want = one.fixture.tensors.find("panoptic.0");
    if (want == one.fixture.tensors.end()) continue;
    INFO(one.fixture.name << ", " << head.name);
    const auto found = head.segments(one.logits(0), one.geometries[0], one.settings);
    REQUIRE(found.ids.size() == want->second.values.size());
    std::size_t apart = 0;
    std::vector<std::int64_t> areas(found.segments.size() + 1);
    for (std::size_t i = 0; i < found.ids.size(); ++i) {
      apart += static_cast<float>(found.ids[i]) != want->second.values[i];
      ++areas[static_cast<std::size_t>(found.ids[i])];
    }
    CHECK(apart <= found.ids.size() / 1000);
    const auto& infos = one.expected.at("batched")[0].at("segments_info");
    REQUIRE(found.segments.size() == infos.size());
    CHECK(!found.segments.empty());
    for (std::size_t s = 0; s < infos.size(); ++s) {
      INFO("segment " << s + 1);
      CHECK(infos[s].at("id") == s + 1);
      CHECK(infos[s].at("category_id") == found.segments[s].class_id);
      CHECK(infos[s].at("isthing") == found.segments[s].is_thing);
      CHECK(found.segments[s].area == areas[s + 1]);
    }
  }
}

}  // namespace
}  // namespace maskrt::testing
