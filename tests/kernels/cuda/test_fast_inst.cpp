// FastInst's head on the GPU against the plain loops that define it, on the same logits, whatever they were rounded to.
#include <cstring>

#include "kernels/heads/fast_inst/fast_inst_cuda.h"
#include "runtime/mask/rle.h"
#include "support/gpu.h"
#include "tests/kernels/fast_inst_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing::fast_inst;
using maskrt::testing::DeviceArray;
using maskrt::testing::DeviceBytes;
using maskrt::testing::DeviceTensor;
using maskrt::testing::Gpu;
using maskrt::testing::OwnedTensor;

namespace {

/// The logistic function is off by 2^-22 + |x| 2^-23.5 of itself; a softmax of numbers in fp32 by some units of its
/// sum.
constexpr Errors kErrors{1e-6, 2e-6};

/// A case's logits in device memory, of a type and an own place, and the same for the reference.
class Scene {
 public:
  Scene(const Case& c, DataType type, std::int64_t spare)
      : case_(c), logits_(c), masks_(type, 2, c.height, c.width, c.queries + spare, 0) {
    const Tensor own = of_queries(*masks_);
    for_each_element(own, [&](auto b, auto y, auto x, auto q) {
      set(own, b, y, x, q, get(*logits_.masks, b, y, x, q));
      set(*logits_.masks, b, y, x, q, get(own, b, y, x, q));  // as it was rounded
    });
    device_classes_.emplace(*logits_.classes);
    device_masks_.emplace(*masks_);
  }

  FastInstLogits logits(std::int64_t image) const { return logits_.of(image); }
  std::vector<Geometry> pictures() const { return {case_.geometry, case_.geometry}; }
  FastInstPlan plan(const FastInstSettings& settings) {
    const std::vector<std::uint8_t> things(settings.things.begin(), settings.things.end());
    things_.emplace(things);
    FastInstPlan plan;
    plan.class_logits = **device_classes_;
    plan.mask_logits = of_queries(**device_masks_);
    plan.padded_width = case_.geometry.padded_width;
    plan.padded_height = case_.geometry.padded_height;
    plan.detections = settings.detections;
    plan.object_mask_threshold = settings.object_mask_threshold;
    plan.overlap_threshold = settings.overlap_threshold;
    plan.resize_before_semantic = settings.resize_before_semantic;
    plan.things = things_->data();
    plan.things_alone = settings.things_alone;
    return plan;
  }

 private:
  Tensor of_queries(const Tensor& whole) const {
    Tensor t = whole;
    t.channels = case_.queries;
    return t;
  }
  Case case_;
  Logits logits_;
  OwnedTensor masks_;
  std::optional<DeviceTensor> device_classes_, device_masks_;
  std::optional<DeviceArray<std::uint8_t>> things_;
};

void upload(const DeviceBytes& to, std::span<const std::byte> from) {
  Gpu::instance().upload(to.data(), from.data(), from.size());
}

template <typename T>
std::vector<T> download(const DeviceBytes& from, std::size_t count) {
  std::vector<T> numbers(count);
  Gpu::instance().download(numbers.data(), from.data(), count * sizeof(T));
  return numbers;
}

struct Instances {
  std::vector<std::vector<DetectedInstance>> of_bits, of_runs;
};

/// Twice with one workspace: the same.
Instances instances(Scene& scene, const FastInstSettings& settings) {
  Gpu& gpu = Gpu::instance();
  const FastInstInstances head(scene.plan(settings));
  const std::vector<Geometry> pictures = scene.pictures();
  const std::uint64_t most_words = most_mask_words(head.masks().logits.channels, pictures), most_runs = 1 << 20;
  const DeviceBytes workspace(head.workspace_bytes()), block(head.block().bytes()), call(mask_call_bytes(2)),
      words(most_words * 8 + 8), runs(most_runs * 4);
  MaskRequest request{settings.minimum_score, settings.masks, {}};
  request.buffers = {reinterpret_cast<std::uint64_t*>(words.data()), most_words,
                     reinterpret_cast<std::uint32_t*>(runs.data()), most_runs};
  std::vector<std::byte> described(call.bytes());
  describe_mask_call(head.masks(), pictures, request, described);
  upload(call, described);
  head.clear(gpu.queue(), workspace.data());
  Instances found;
  for (int time = 0; time < 2; ++time) {
    head.launch(gpu.queue(), {call.data(), workspace.data(), block.data()}, true);
    // The header first, then as many records, words and runs as it says: what else there is is undefined.
    auto read = download<std::byte>(block, sizeof(kernels::cuda::InstanceHeader));
    kernels::cuda::InstanceHeader header;
    std::memcpy(&header, read.data(), sizeof header);
    read = download<std::byte>(block, sizeof header + header.instances * sizeof(kernels::cuda::InstanceRecord));
    REQUIRE(header.words <= most_words);
    REQUIRE(header.runs <= most_runs);
    const FoundInstances result = InstanceBlock::read(read);
    Instances now{instances_of(result, pictures, download<std::uint64_t>(words, header.words)), {}};
    if (settings.masks) now.of_runs = instances_of(result, pictures, download<std::uint32_t>(runs, header.runs));
    for (const DeviceBytes* bytes : {&workspace, &block, &words, &runs}) bytes->require_intact();
    if (time == 0) {
      found = std::move(now);
      continue;
    }
    for (std::size_t b = 0; b < found.of_bits.size(); ++b) {
      REQUIRE(now.of_bits[b].size() == found.of_bits[b].size());
      for (std::size_t i = 0; i < now.of_bits[b].size(); ++i) {
        CHECK(now.of_bits[b][i].score == found.of_bits[b][i].score);
        CHECK(now.of_bits[b][i].mask.words == found.of_bits[b][i].mask.words);
      }
    }
  }
  return found;
}

void require_runs(const DetectedInstance& of_bits, const DetectedInstance& of_runs) {
  const MaskBits& bits = of_bits.mask;
  REQUIRE(of_runs.runs == rle::from_bits(bits.height, bits.width, bits.words, bits.words_per_column).counts);
}

std::vector<std::int32_t> numbers_of(const std::vector<std::int32_t>& all, std::size_t image) {
  const auto each = static_cast<std::ptrdiff_t>(all.size() / 2), first = static_cast<std::ptrdiff_t>(image) * each;
  return {all.begin() + first, all.begin() + first + each};
}

std::vector<std::int32_t> classes(Scene& scene, const FastInstSettings& settings) {
  Gpu& gpu = Gpu::instance();
  const FastInstClassMap head(scene.plan(settings));
  const std::vector<Geometry> pictures = scene.pictures();
  const std::uint64_t count = PictureNumbers::count(pictures);
  const DeviceBytes workspace(head.workspace_bytes()), numbers(count * 4), call(PictureNumbers::call_bytes(2));
  std::vector<std::byte> described(call.bytes());
  head.describe(gpu.queue().chip(), pictures, reinterpret_cast<std::int32_t*>(numbers.data()), described);
  upload(call, described);
  std::vector<std::int32_t> found;
  for (int time = 0; time < 2; ++time) {
    head.launch(gpu.queue(), {call.data(), workspace.data(), nullptr});
    const auto now = download<std::int32_t>(numbers, count);
    if (time == 1) REQUIRE(now == found);
    found = now;
  }
  for (const DeviceBytes* bytes : {&workspace, &numbers}) bytes->require_intact();
  return found;
}

std::vector<FastInstSegments> segments(Scene& scene, const FastInstSettings& settings) {
  Gpu& gpu = Gpu::instance();
  const FastInstSegmentMap head(scene.plan(settings));
  const std::vector<Geometry> pictures = scene.pictures();
  const std::uint64_t count = PictureNumbers::count(pictures);
  const DeviceBytes workspace(head.workspace_bytes()), result(head.result_bytes()), numbers(count * 4),
      call(PictureNumbers::call_bytes(2));
  std::vector<std::byte> described(call.bytes());
  head.describe(pictures, reinterpret_cast<std::int32_t*>(numbers.data()), described);
  upload(call, described);
  head.clear(gpu.queue(), workspace.data());
  // What no segment fills stays as it was.
  upload(result, std::vector<std::byte>(result.bytes()));
  std::vector<FastInstSegments> found(2);
  std::vector<std::int32_t> all;
  for (int time = 0; time < 2; ++time) {
    head.launch(gpu.queue(), {call.data(), workspace.data(), result.data()});
    const auto now = download<std::int32_t>(numbers, count);
    if (time == 1) REQUIRE(now == all);
    all = now;
  }
  const auto records = head.read(download<std::byte>(result, result.bytes()));
  for (const DeviceBytes* bytes : {&workspace, &numbers, &result}) bytes->require_intact();
  for (std::size_t b = 0; b < 2; ++b) found[b] = {numbers_of(all, b), records[b]};
  return found;
}

void check(const Case& c, DataType type, std::int64_t spare) {
  INFO(name_of(type) << " " << c);
  Scene scene(c, type, spare);
  FastInstSettings settings = settings_of(c);
  const Instances found = instances(scene, settings);
  const std::vector<FastInstSegments> segmented = segments(scene, settings);
  for (const std::size_t image : {0u, 1u}) {
    INFO("image " << image);
    const FastInstLogits logits = scene.logits(static_cast<std::int64_t>(image));
    check_instances(c, logits, settings, found.of_bits[image], kErrors);
    for (std::size_t i = 0; i < found.of_bits[image].size(); ++i)
      require_runs(found.of_bits[image][i], found.of_runs[image][i]);
    check_segments(c, logits, settings, segmented[image], kErrors);
  }
  for (const bool before : {true, false}) {
    settings.resize_before_semantic = before;
    const std::vector<std::int32_t> labels = classes(scene, settings);
    for (const std::size_t image : {0u, 1u})
      check_classes(c, scene.logits(static_cast<std::int64_t>(image)), settings, numbers_of(labels, image), kErrors);
  }
  settings.things_alone = true;
  check_instances(c, scene.logits(0), settings, instances(scene, settings).of_bits[0], kErrors);
}

}  // namespace

// Each case in one type, and in both in the hidden test, which `ctest -C full` runs.
TEST_CASE("FastInst's instances, classes of pixels and segments on the GPU are the reference's") {
  for (std::size_t i = 0; i < cases.size(); ++i)
    check(cases[i], i % 2 == 0 ? DataType::f16 : DataType::f32, static_cast<std::int64_t>(i % 5));
}

TEST_CASE("FastInst's results on the GPU are the reference's in both types", "[.full]") {
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (const DataType type : {DataType::f32, DataType::f16}) check(cases[i], type, static_cast<std::int64_t>(i % 4));
}

TEST_CASE("FastInst's instances below the least score are dropped on the GPU, and masks only where they are wanted") {
  const Case& c = cases[6];
  Scene scene(c, DataType::f16, 4);
  FastInstSettings settings = settings_of(c);
  const auto all = instances(scene, settings).of_bits[0];
  settings.minimum_score = all[all.size() / 2].score;
  settings.masks = false;
  const auto best = instances(scene, settings).of_bits[0];
  REQUIRE(best.size() >= all.size() / 2 + 1);
  REQUIRE(best.size() < all.size());
  for (std::size_t i = 0; i < best.size(); ++i) {
    CHECK(best[i].score == all[i].score);
    CHECK(best[i].query == all[i].query);
    CHECK(best[i].mask.words.empty());
    CHECK(best[i].area == 0);
  }
}

TEST_CASE("what FastInst's head cannot do on the GPU is refused by name") {
  const Case& c = cases[2];
  Scene scene(c, DataType::f32, 0);
  FastInstPlan plan = scene.plan(settings_of(c));
  plan.detections = 0;
  CHECK_THROWS_WITH(FastInstInstances(plan),
                    Catch::Contains("expected from 1 to 2048 detections of an image, found 0"));
  plan.detections = 5;
  plan.class_logits.height = 4;
  CHECK_THROWS_WITH(FastInstClassMap(plan), Catch::Contains("expected masks of 2 images and 4 queries"));
  plan.class_logits.height = 5;
  plan.class_logits.channels = 1;
  CHECK_THROWS_WITH(FastInstSegmentMap(plan),
                    Catch::Contains("expected logits of a class and of none at least, found 1"));
}
