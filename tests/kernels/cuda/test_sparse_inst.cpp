// Instances on the GPU against the loops that define them, on the same logits, whatever they were rounded to.
#include <bit>
#include <optional>
#include <random>

#include "kernels/heads/sparse_inst/sparse_inst.h"
#include "kernels/heads/sparse_inst/sparse_inst_cuda.h"
#include "kernels/resize/resize.h"
#include "runtime/mask/rle.h"
#include "support/gpu.h"
#include "testing/mask_scenes.h"
#include "tests/kernels/owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::DeviceArray;
using maskrt::testing::DeviceBytes;
using maskrt::testing::DeviceTensor;
using maskrt::testing::Gpu;
using maskrt::testing::OwnedTensor;

namespace {

enum class Masks { blobs, noise, none, full };

struct Scene {
  int batch, queries, classes;
  int width, height;  ///< of the mask logits
  int factor;
  Masks masks;
  DataType type;
  int first_channel = 0;  ///< of a wider tensor
  int spare = 0;          ///< channels behind
  bool padded = false;    ///< these are the map's own
};

/// How far a blended probability may be from the reference's. Logits up to 8 in size are interpolated with 6 roundings
/// of 2^-24 each, which the sigmoid, at most 1/4 steep, passes on as 0.7e-6; e^-x is off by 2^-22 + |x| 2^-23.5 of
/// itself, a quarter of which reaches the probability: 0.2e-6; 16 products that add up to at most 1 round by 0.5e-6.
constexpr float kProbabilityBound = 2e-6f;

class Instances {
 public:
  Instances(const Scene& s, std::vector<Geometry> images)
      : scene_(s),
        images_(std::move(images)),
        classes_(DataType::f32, s.batch, s.queries, 1, s.classes, 0),
        objectness_(DataType::f32, s.batch, s.queries, 1, 1, 0),
        masks_(s.type, s.batch, s.height, s.width, s.first_channel + s.queries + s.spare, 0) {
    classes_.fill(11, -2, 2);
    objectness_.fill(12, -1, 3);
    masks_.fill(13);
    for (int b = 0; b < s.batch; ++b) {
      const auto seed = static_cast<std::uint64_t>(21 + b);
      const auto planar = s.masks == Masks::noise ? testing::noise_logits(s.width, s.height, s.queries, seed)
                                                  : testing::blob_logits(s.width, s.height, s.queries, seed);
      const Tensor logits = slice(*masks_);
      std::size_t i = 0;
      for (int n = 0; n < s.queries; ++n)
        for (int y = 0; y < s.height; ++y)
          for (int x = 0; x < s.width; ++x, ++i) {
            const float value = s.masks == Masks::none ? -6.0f : s.masks == Masks::full ? 6.0f : planar[i];
            set(logits, b, y, x, n, value);
          }
    }
  }

  OwnedTensor& classes() { return classes_; }
  OwnedTensor& objectness() { return objectness_; }
  OwnedTensor& masks() { return masks_; }

  /// What sparse_inst_ref says of the upsampled logits.
  std::vector<std::vector<DetectedInstance>> wanted(const SparseInstSettings& settings) {
    if (!map_) {
      OwnedTensor logits(DataType::f32, scene_.batch, scene_.height, scene_.width, scene_.queries, 0);
      const Tensor from = slice(*masks_);
      for_each_element(*logits,
                       [&](auto b, auto y, auto x, auto c) { set(*logits, b, y, x, c, get(from, b, y, x, c)); });
      map_.emplace(DataType::f32, scene_.batch, scene_.height * scene_.factor, scene_.width * scene_.factor,
                   scene_.queries, 0);
      resize_bilinear_factor_ref(*logits, scene_.factor, **map_);
    }
    std::vector<std::vector<DetectedInstance>> found;
    for (std::size_t b = 0; b < images_.size(); ++b)
      found.push_back(
          sparse_inst_ref(*classes_, *objectness_, **map_, static_cast<std::int64_t>(b), images_[b], settings));
    return found;
  }

  struct Found {
    std::vector<std::byte> block;
    std::vector<std::uint32_t> first_of_image;
    std::vector<std::uint64_t> words;
    std::vector<std::uint32_t> runs;
    FoundInstances result() const { return InstanceBlock::read(block); }
  };

  /// On the GPU, twice with one workspace: bit by bit the same.
  Found found(const SparseInstSettings& settings, std::uint64_t word_capacity, std::uint64_t run_capacity) {
    const DeviceTensor device_classes(*classes_), device_objectness(*objectness_), device_masks(*masks_);
    SparseInstPlan plan;
    plan.class_logits = *device_classes;
    plan.objectness_logits = *device_objectness;
    plan.score_threshold = settings.score_threshold;
    plan.masks.logits = slice(*device_masks);
    plan.masks.factor = scene_.factor;
    plan.masks.padded_width = images_[0].padded_width;
    plan.masks.padded_height = images_[0].padded_height;
    plan.masks.threshold = settings.mask_threshold;
    const SparseInstCuda head(plan);
    Gpu& gpu = Gpu::instance();
    const DeviceBytes workspace(head.workspace_bytes()), block(head.block().bytes()),
        call(mask_call_bytes(scene_.batch)), words(word_capacity * 8 + 8), runs(run_capacity * 4 + 8);
    head.clear(gpu.queue(), workspace.data());

    MaskRequest request{settings.minimum_score, settings.masks, {}};
    MaskBuffers& buffers = request.buffers;
    buffers.words = reinterpret_cast<std::uint64_t*>(words.data());
    buffers.word_capacity = word_capacity;
    buffers.runs = run_capacity == 0 ? nullptr : reinterpret_cast<std::uint32_t*>(runs.data());
    buffers.run_capacity = run_capacity;
    std::vector<std::byte> described(call.bytes());
    describe_mask_call(plan.masks, images_, request, described);
    gpu.upload(call.data(), described.data(), described.size());

    Found first;
    for (int time = 0; time < 2; ++time) {
      head.launch(gpu.queue(), {call.data(), workspace.data(), block.data()}, true);
      Found f;
      // The header first, then as many records, words and runs as it says: what else there is is undefined.
      f.block.resize(sizeof(kernels::cuda::InstanceHeader));
      gpu.download(f.block.data(), block.data(), f.block.size());
      kernels::cuda::InstanceHeader header;
      std::memcpy(&header, f.block.data(), sizeof header);
      f.block.resize(sizeof header + header.instances * sizeof(kernels::cuda::InstanceRecord));
      gpu.download(f.block.data(), block.data(), f.block.size());
      f.first_of_image.resize(images_.size() + 1);
      gpu.download(f.first_of_image.data(), block.data() + head.block().first_of_image_offset(),
                   f.first_of_image.size() * 4);
      if (header.words <= word_capacity) f.words.resize(header.words);
      if (header.runs <= run_capacity) f.runs.resize(header.runs);
      gpu.download(f.words.data(), words.data(), f.words.size() * 8);
      gpu.download(f.runs.data(), runs.data(), f.runs.size() * 4);
      for (const DeviceBytes* bytes : {&workspace, &block, &words, &runs}) bytes->require_intact();
      if (time == 0)
        first = std::move(f);
      else
        require_equal(f, first);
    }
    return first;
  }

  const std::vector<Geometry>& images() const { return images_; }
  std::uint64_t most_words() const { return most_mask_words(scene_.queries, images_); }

 private:
  Tensor slice(const Tensor& whole) const {
    Tensor t = whole;
    t.data = static_cast<std::byte*>(t.data) + scene_.first_channel * static_cast<std::int64_t>(size_of(t.type));
    t.channels = scene_.queries;
    t.block = scene_.queries + (scene_.padded ? scene_.spare : 0);
    return t;
  }

  /// Run lengths may lie in another order; nothing else differs.
  static void require_equal(const Found& a, const Found& b) {
    REQUIRE(a.block.size() == b.block.size());
    REQUIRE(a.words == b.words);
    REQUIRE(a.first_of_image == b.first_of_image);
    for (std::size_t i = 0; i < a.result().records.size(); ++i) {
      kernels::cuda::InstanceRecord of_a = a.result().records[i], of_b = b.result().records[i];
      if (!a.runs.empty()) {
        REQUIRE(of_a.runs == of_b.runs);
        REQUIRE(std::equal(a.runs.begin() + of_a.first_run, a.runs.begin() + of_a.first_run + of_a.runs,
                           b.runs.begin() + of_b.first_run));
      }
      of_a.first_run = of_b.first_run = 0;
      REQUIRE(std::memcmp(&of_a, &of_b, sizeof of_a) == 0);
    }
  }

  Scene scene_;
  std::vector<Geometry> images_;
  OwnedTensor classes_, objectness_, masks_;
  std::optional<OwnedTensor> map_;
};

std::int64_t bits_beyond(const MaskBits& a, const MaskBits& b) {
  REQUIRE(a.words.size() == b.words.size());
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.words.size(); ++i) count += std::popcount(a.words[i] & ~b.words[i]);
  return count;
}

/// Area and box of the bits themselves.
void require_measured(const DetectedInstance& found) {
  const MaskBits& mask = found.mask;
  std::int64_t area = 0;
  int left = mask.width, right = -1, top = mask.height, bottom = -1;
  for (int x = 0; x < mask.width; ++x) {
    for (int y = 0; y < mask.words_per_column * 64; ++y) {
      if ((mask.words[static_cast<std::size_t>(x * mask.words_per_column + y / 64)] >> y % 64 & 1) == 0) continue;
      ++area;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  REQUIRE(bottom < mask.height);
  CHECK(found.area == area);
  CHECK(found.x == (area == 0 ? 0 : left));
  CHECK(found.y == (area == 0 ? 0 : top));
  CHECK(found.width == (area == 0 ? 0 : right - left + 1));
  CHECK(found.height == (area == 0 ? 0 : bottom - top + 1));
}

/// The run lengths are those of the bits.
void require_runs(const DetectedInstance& of_bits, const DetectedInstance& of_runs) {
  const MaskBits &bits = of_bits.mask, &size = of_runs.mask;
  REQUIRE(of_runs.runs == rle::from_bits(bits.height, bits.width, bits.words, bits.words_per_column).counts);
  REQUIRE(std::tuple(size.width, size.height, size.words.size()) == std::tuple(bits.width, bits.height, 0u));
  REQUIRE(of_runs.area == of_bits.area);
}

/// Same instances, scores and bits as far as rounding leaves them determined.
void compare(Instances& instances, const SparseInstSettings& settings) {
  const auto want = instances.wanted(settings);
  // Bits that the reference sets at a threshold a little higher must be there; those it leaves at one a little lower
  // not.
  SparseInstSettings higher = settings, lower = settings;
  higher.minimum_score = lower.minimum_score = 0;
  higher.mask_threshold += kProbabilityBound;
  lower.mask_threshold -= kProbabilityBound;
  const auto least = instances.wanted(higher), most = instances.wanted(lower);
  const auto found = instances.found(settings, instances.most_words(), std::uint64_t{1} << 20);
  REQUIRE(found.words.size() <= instances.most_words());
  const auto got = instances_of(found.result(), instances.images(), found.words);
  const auto got_runs = instances_of(found.result(), instances.images(), found.runs);
  std::size_t record = 0;
  for (std::size_t b = 0; b < want.size(); ++b) {
    INFO("image " << b << ", " << instances.images()[b].original_width << " x "
                  << instances.images()[b].original_height);
    REQUIRE(got[b].size() == want[b].size());
    REQUIRE(found.first_of_image[b] == record);
    for (std::size_t i = 0; i < want[b].size(); ++i, ++record) {
      const DetectedInstance &g = got[b][i], &w = want[b][i];
      INFO("instance " << i << ", query " << w.query);
      REQUIRE(g.query == w.query);
      CHECK(g.class_id == w.class_id);
      const auto same = [&](const DetectedInstance& other) { return other.query == w.query; };
      const auto& at_least = *std::find_if(least[b].begin(), least[b].end(), same);
      const auto& at_most = *std::find_if(most[b].begin(), most[b].end(), same);
      // Probabilities that the threshold may count or not show as a difference between the two scores around it.
      const double bound = 4e-6 + std::abs(static_cast<double>(at_least.score) - at_most.score);
      if (!(std::abs(static_cast<double>(g.score) - w.score) <= bound))
        FAIL("score: got " << g.score << ", want " << w.score << ", bound " << bound);
      if (!settings.masks) {
        CHECK(g.mask.words.empty());
        CHECK(g.area == 0);
        continue;
      }
      CHECK(bits_beyond(at_least.mask, g.mask) == 0);
      CHECK(bits_beyond(g.mask, at_most.mask) == 0);
      require_measured(g);
      require_runs(g, got_runs[b][i]);
    }
  }
  REQUIRE(found.first_of_image[want.size()] == record);
}

Geometry geometry(int width, int height, int resized_width, int resized_height, int padded_width, int padded_height) {
  return {width, height, resized_width, resized_height, padded_width, padded_height};
}

}  // namespace

TEST_CASE("instances on the GPU") {
  struct Case {
    Scene scene;
    std::vector<Geometry> images;
  };
  const std::vector<Case> cases = {
      {{1, 1, 1, 1, 1, 2, Masks::full, DataType::f32}, {geometry(1, 1, 8, 8, 8, 8)}},
      {{1, 1, 80, 1, 1, 2, Masks::blobs, DataType::f16}, {geometry(65, 63, 8, 7, 8, 8)}},
      // 4:3, all queries, as the network has them
      {{1, 100, 80, 26, 20, 2, Masks::blobs, DataType::f16, 0, 4}, {geometry(160, 120, 200, 150, 208, 160)}},
      {{1, 100, 5, 26, 20, 2, Masks::blobs, DataType::f32, 0, 4}, {geometry(320, 240, 200, 150, 208, 160)}},
      // pixels of whole sectors; rows of the map that end with a sector, in its middle and with one more
      {{2, 100, 3, 32, 8, 2, Masks::blobs, DataType::f16, 0, 12, true},
       {geometry(500, 120, 256, 60, 256, 64), geometry(120, 70, 256, 64, 256, 64)}},
      {{1, 100, 3, 33, 6, 2, Masks::blobs, DataType::f32, 0, 4, true}, {geometry(300, 50, 264, 48, 264, 48)}},
      {{1, 36, 3, 40, 9, 2, Masks::noise, DataType::f32, 0, 4, true}, {geometry(700, 140, 320, 72, 320, 72)}},
      {{1, 19, 2, 15, 17, 2, Masks::noise, DataType::f16, 0, 13, true}, {geometry(120, 136, 120, 136, 120, 136)}},
      // a batch of different sizes, one smaller than the map, thin ones; part of a wider tensor at an odd place
      {{3, 40, 5, 13, 11, 2, Masks::blobs, DataType::f16, 3, 5},
       {geometry(150, 110, 104, 76, 104, 88), geometry(20, 17, 100, 85, 104, 88), geometry(1, 700, 3, 88, 104, 88)}},
      {{2, 7, 3, 13, 11, 2, Masks::noise, DataType::f32, 0, 1},
       {geometry(700, 1, 104, 1, 104, 88), geometry(129, 300, 37, 86, 104, 88)}},
      // a word less and more one, tiles of columns likewise
      {{3, 5, 1, 8, 8, 2, Masks::noise, DataType::f16, 8, 11},
       {geometry(15, 63, 61, 64, 64, 64), geometry(16, 64, 64, 64, 64, 64), geometry(17, 65, 17, 64, 64, 64)}},
      // many words a column; as many as one tile holds, one more, two tiles
      {{1, 3, 2, 8, 24, 2, Masks::blobs, DataType::f16}, {geometry(40, 1300, 60, 190, 64, 192)}},
      {{3, 2, 2, 3, 24, 2, Masks::full, DataType::f16},
       {geometry(18, 1536, 24, 192, 24, 192), geometry(17, 1540, 24, 190, 24, 192),
        geometry(3, 3100, 20, 192, 24, 192)}},
      {{1, 3, 2, 3, 24, 2, Masks::noise, DataType::f32}, {geometry(19, 2000, 24, 192, 24, 192)}},
      // logits that are not resized, more queries than a block takes
      {{1, 9, 4, 37, 17, 1, Masks::blobs, DataType::f32}, {geometry(200, 90, 146, 66, 148, 68)}},
      {{2, 33, 4, 26, 14, 1, Masks::noise, DataType::f16},
       {geometry(90, 61, 100, 50, 104, 56), geometry(5, 9, 104, 56, 104, 56)}},
      {{1, 130, 4, 35, 10, 1, Masks::blobs, DataType::f16, 0, 6}, {geometry(90, 61, 140, 40, 140, 40)}},
      {{2, 2, 3, 9, 9, 2, Masks::none, DataType::f16},
       {geometry(70, 70, 70, 70, 72, 72), geometry(30, 70, 30, 70, 72, 72)}},
      {{1, 2, 3, 9, 9, 2, Masks::full, DataType::f16}, {geometry(200, 130, 70, 65, 72, 72)}},
  };
  for (const Case& c : cases) {
    const Scene& s = c.scene;
    INFO(s.batch << " images, " << s.queries << " queries of " << s.classes << " classes, " << name_of(s.type)
                 << " logits " << s.width << " x " << s.height << " times " << s.factor);
    Instances instances(s, c.images);
    compare(instances, {});
  }
}

TEST_CASE("instances on the GPU at sizes drawn at random") {
  std::mt19937 engine(7);
  const auto from_to = [&](int low, int high) {
    return low + static_cast<int>(engine() % static_cast<unsigned>(high - low + 1));
  };
  for (int i = 0; i < 20; ++i) {
    const int factor = from_to(1, 2), width = from_to(1, 24), height = from_to(1, 24), batch = from_to(1, 2);
    const int padded_width = width * 8 / (3 - factor), padded_height = height * 8 / (3 - factor);
    std::vector<Geometry> images;
    for (int b = 0; b < batch; ++b) {
      // The padding is less than 32 pixels in all but batches.
      const int resized_width = from_to(from_to(0, 1) == 0 ? 1 : std::max(1, padded_width - 31), padded_width);
      const int resized_height = from_to(from_to(0, 1) == 0 ? 1 : std::max(1, padded_height - 31), padded_height);
      const auto original = [&](int resized) {
        const int kind = from_to(0, 3);
        return kind == 0 ? from_to(1, 8) : kind == 1 ? resized : std::max(1, resized * from_to(20, 300) / 100);
      };
      images.push_back(geometry(original(resized_width), original(resized_height), resized_width, resized_height,
                                padded_width, padded_height));
    }
    const Scene scene{batch,
                      from_to(1, 6),
                      from_to(1, 9),
                      width,
                      height,
                      factor,
                      from_to(0, 2) == 0 ? Masks::noise : Masks::blobs,
                      from_to(0, 1) == 0 ? DataType::f32 : DataType::f16,
                      from_to(0, 9),
                      from_to(0, 9)};
    INFO("draw " << i << ": logits " << width << " x " << height << " times " << factor << ", resized to "
                 << images[0].resized_width << " x " << images[0].resized_height);
    Instances instances(scene, images);
    SparseInstSettings settings;
    settings.mask_threshold = 0.1f * static_cast<float>(from_to(1, 9));
    compare(instances, settings);
  }
}

TEST_CASE("thresholds on the GPU") {
  const Scene scene{2, 40, 80, 13, 11, 2, Masks::blobs, DataType::f16};
  Instances instances(scene, {geometry(150, 110, 104, 76, 104, 88), geometry(110, 120, 81, 88, 104, 88)});
  SparseInstSettings settings;
  SECTION("some pass") {
    settings.score_threshold = 0.7f;
    settings.minimum_score = 0.6f;
    settings.mask_threshold = 0.3f;
    const auto want = instances.wanted(settings);
    REQUIRE(want[0].size() + want[1].size() > 4);
    REQUIRE(want[0].size() + want[1].size() < 70);
  }
  SECTION("none does") { settings.score_threshold = 1; }
  SECTION("scores alone") { settings.masks = false; }
  SECTION("every pixel") { settings.mask_threshold = -0.5f; }
  SECTION("no pixel") { settings.mask_threshold = 1.5f; }
  compare(instances, settings);
}

TEST_CASE("classes that saturate alike on the GPU: the first wins; what is no number does not") {
  const Scene scene{1, 4, 40, 8, 8, 2, Masks::full, DataType::f32};
  Instances instances(scene, {geometry(64, 64, 64, 64, 64, 64)});
  const auto logit = [&](int query, int c) -> float& {
    return instances.classes()->as<float>()[instances.classes()->index(0, query, 0, c)];
  };
  for (int c = 0; c < 40; ++c) logit(0, c) = logit(1, c) = -60;
  logit(0, 37) = 30;
  logit(0, 5) = 40;
  logit(1, 33) = 20;
  logit(1, 39) = 50;
  logit(2, 0) = logit(3, 7) = std::numeric_limits<float>::quiet_NaN();
  logit(3, 9) = 4;
  const auto want = instances.wanted({});
  REQUIRE(want[0].size() == 3);
  CHECK(want[0][0].class_id == 5);
  CHECK(want[0][1].class_id == 33);
  CHECK(want[0][2].class_id == 9);
  compare(instances, {});
}

TEST_CASE("masks that their buffer does not hold are not made, and the call can be repeated") {
  const Scene scene{1, 6, 3, 8, 8, 2, Masks::blobs, DataType::f16};
  Instances instances(scene, {geometry(150, 130, 64, 60, 64, 64)});
  const auto small = instances.found({}, 3, 1000);
  CHECK(small.result().header.words > 3);
  CHECK(small.result().header.instances == 6);
  CHECK_THROWS_WITH(instances_of(small.result(), instances.images(), small.words), Catch::Contains("words of masks"));
  const std::uint64_t needed = small.result().header.words;
  CHECK(needed < instances.most_words());
  const auto enough = instances.found({}, needed, 10);
  CHECK(enough.result().header.words == needed);
  CHECK(enough.result().header.runs > 10);
  CHECK(instances_of(enough.result(), instances.images(), enough.words)[0].size() == 6);
  CHECK_THROWS_WITH(instances_of(enough.result(), instances.images(), enough.runs), Catch::Contains("run lengths"));
  const auto all = instances.found({}, needed, enough.result().header.runs);
  CHECK(all.runs.size() == enough.result().header.runs);
}

TEST_CASE("SparseInst's head on the GPU refuses what it cannot do") {
  float number = 0;
  SparseInstPlan plan;
  plan.class_logits = dense(&number, DataType::f32, 2, 6, 1, 3, 0);
  plan.objectness_logits = dense(&number, DataType::f32, 2, 6, 1, 1, 0);
  plan.masks.logits = dense(&number, DataType::f32, 2, 8, 8, 6, 8);
  plan.masks.factor = 2;
  plan.masks.padded_width = plan.masks.padded_height = 64;
  const Geometry good = geometry(64, 64, 64, 64, 64, 64);
  const auto describe = [&](std::vector<Geometry> images, std::size_t bytes, std::uint32_t* runs = nullptr) {
    std::vector<std::byte> call(bytes);
    describe_mask_call(plan.masks, images, {0, true, {nullptr, 0, runs, 0}}, call);
  };
  const std::size_t bytes = mask_call_bytes(2);
  CHECK_NOTHROW(describe({good, good}, bytes));
  CHECK_THROWS_WITH(describe({good}, bytes), Catch::Contains("expected 2 images"));
  CHECK_THROWS_WITH(describe({good, good}, bytes - 1), Catch::Contains(std::to_string(bytes) + " bytes for the call"));
  CHECK_THROWS_WITH(describe({good, geometry(0, 64, 64, 64, 64, 64)}, bytes), Catch::Contains("found 0 x 64"));
  CHECK_THROWS_WITH(describe({good, geometry(64, 64, 64, 64, 64, 96)}, bytes), Catch::Contains("in 64 x 96"));
  std::uint32_t run = 0;
  CHECK_THROWS_WITH(describe({good, geometry(65536, 65536, 64, 64, 64, 64)}, bytes, &run),
                    Catch::Contains("fewer than 2^32 pixels"));

  const auto post = [&] { return SparseInstCuda(plan); };
  plan.masks.factor = 3;
  CHECK_THROWS_WITH(post(), Catch::Contains("resized by 1 or 2, found 3"));
  plan.masks.factor = 2;
  plan.masks.padded_height = 15;
  CHECK_THROWS_WITH(post(), Catch::Contains("at least as large as its masks, 16 x 16, found 64 x 15"));
  plan.masks.logits.channels = 5;
  CHECK_THROWS_WITH(post(), Catch::Contains("expected batch and queries"));

  const std::vector<std::byte> block(10);
  CHECK_THROWS_WITH(InstanceBlock::read(block), Catch::Contains("result block of at least"));
}
