// What `run --overlay` and `--masks` add to a picture: drawing, encoding.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "models.h"
#include "runtime/cli/drawing_files.h"
#include "runtime/cli/mask_png.h"
#include "runtime/cli/overlay.h"
#include "runtime/mask/mask.h"
#include "testing/mask_scenes.h"

namespace maskrt::bench {
namespace {

constexpr int kWidth = 1920, kHeight = 1080;

Image photo() { return Image::from_file(std::string(MASKRT_DEMO) + "/showcase/1.jpg"); }

/// 15 blobs with ragged edges, which cover two fifths of a 1920x1080 picture.
std::vector<Instance> instances() {
  constexpr int count = 15;
  const std::vector<float> logits = testing::blob_logits(kWidth, kHeight, count, 1);
  std::vector<Instance> made;
  for (int n = 0; n < count; ++n) {
    kernels::MaskBits bits;
    bits.width = kWidth;
    bits.height = kHeight;
    bits.words_per_column = (kHeight + 63) / 64;
    bits.words.assign(std::size_t(bits.words_per_column) * kWidth, 0);
    int left = kWidth, right = 0, top = kHeight, bottom = 0;
    std::int64_t area = 0;
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x) {
        if (logits[(std::size_t(n) * kHeight + y) * kWidth + x] <= 0) continue;
        bits.words[std::size_t(x) * bits.words_per_column + y / 64] |= std::uint64_t{1} << (y % 64);
        left = std::min(left, x);
        right = std::max(right, x + 1);
        top = std::min(top, y);
        bottom = std::max(bottom, y + 1);
        ++area;
      }
    Instance instance;
    instance.score = 0.9f;
    instance.class_id = n % 5;
    instance.label = "class name";
    instance.box = {static_cast<float>(left), static_cast<float>(top), static_cast<float>(right - left),
                    static_cast<float>(bottom - top)};
    instance.mask = Mask(std::make_shared<Mask::Data>(bits, area));
    made.push_back(instance);
  }
  return made;
}

void draw(benchmark::State& state) {
  const Image picture = photo();
  const std::vector<Instance> found = instances();
  for (auto _ : state) {
    cli::Canvas canvas(picture);
    cli::draw_overlay(canvas, cli::drawings_of(found, {}, 0.4f, cli::Colouring::instance));
    benchmark::DoNotOptimize(canvas.rgb().data());
  }
}

void draw_and_encode(benchmark::State& state, cli::PictureFormat format) {
  const Image picture = photo();
  const std::vector<Instance> found = instances();
  std::size_t bytes = 0;
  for (auto _ : state) {
    cli::Canvas canvas(picture);
    cli::draw_overlay(canvas, cli::drawings_of(found, {}, 0.4f, cli::Colouring::instance));
    bytes = cli::encode(canvas, format).size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void encode_masks(benchmark::State& state) {
  const std::vector<Instance> found = instances();
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    for (const Instance& instance : found) bytes += cli::encode_mask(instance.mask).size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

BENCHMARK(draw)->Name("drawing/draw_15_at_1080p")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw_and_encode, jpeg, cli::PictureFormat::jpeg)
    ->Name("drawing/draw_and_encode_15_at_1080p/jpeg")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(draw_and_encode, png, cli::PictureFormat::png)
    ->Name("drawing/draw_and_encode_15_at_1080p/png")
    ->Unit(benchmark::kMillisecond);

BENCHMARK(encode_masks)->Name("drawing/encode_15_masks_at_1080p")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maskrt::bench
