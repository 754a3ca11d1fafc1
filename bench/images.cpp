// Images in and out: decoding, pre-processing, post-processing and the forms of a mask.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cstdint>
#include <string>
#include <vector>

#include "graph/byte_source.h"
#include "kernels/heads/sparse_inst/sparse_inst.h"
#include "models.h"
#include "runtime/device.h"
#include "runtime/image/decode.h"
#include "runtime/image/open_image_library.h"
#include "runtime/mask/rle.h"
#include "testing/mask_scenes.h"

namespace maskrt::bench {
namespace {

constexpr int kWidth = 1920, kHeight = 1080, kResizedWidth = 853, kResizedHeight = 480, kPaddedWidth = 864;

std::vector<std::uint8_t> picture() {
  testing::Uniform uniform(1);
  std::vector<std::uint8_t> pixels(std::size_t{3} * kWidth * kHeight);
  for (std::uint8_t& p : pixels) p = static_cast<std::uint8_t>(256 * uniform());
  return pixels;
}

/// A 1920x1080 JPEG of the demo, in memory, by libmaskrt_images.so or by libmaskrt alone.
void decode_jpeg(benchmark::State& state, bool with_library) {
  const auto file = graph::open_file(std::string(MASKRT_DEMO) + "/showcase/1.jpg");
  std::vector<std::byte> bytes(file->size());
  file->read(0, bytes);
  const MaskrtImageLibrary* library = with_library ? image::image_library() : nullptr;
  if (with_library && library == nullptr) return state.SkipWithError(image::why_no_image_library().c_str());
  for (auto _ : state) benchmark::DoNotOptimize(image::decode(bytes, image::read_header(bytes), library));
}

constexpr kernels::Geometry kImageGeometry{kWidth,         kHeight,      kResizedWidth,
                                           kResizedHeight, kPaddedWidth, kResizedHeight};

ImageToProcess image_of(const std::vector<std::uint8_t>& pixels) {
  ImageToProcess image;
  image.pixels = {pixels.data(), kWidth, kHeight, 3 * kWidth, kernels::PixelOrder::rgb};
  image.geometry = kImageGeometry;
  return image;
}

void preprocess(benchmark::State& state) {
  const auto pixels = picture();
  const ImageToProcess image = image_of(pixels);
  std::vector<float> input(std::size_t{3} * kPaddedWidth * kResizedHeight);
  const auto tensor = kernels::dense(input.data(), DataType::f32, 1, kResizedHeight, kPaddedWidth, 3, 1);
  const auto stream = open_device("cpu")->open_stream({threads()});
  for (auto _ : state) stream->preprocess(std::span(&image, 1), {}, tensor);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(pixels.size() + 4 * input.size()));
}

/// 100 kept masks at 1920x1080; range(0): 0 for blobs as networks make them, 1 for noise, the worst case.
void postprocess(benchmark::State& state) {
  constexpr int n = 100, map_width = kPaddedWidth / 4, map_height = kResizedHeight / 4;
  std::vector<float> masks = state.range(0) == 0 ? testing::blob_logits(map_width, map_height, n, 1)
                                                 : testing::noise_logits(map_width, map_height, n, 1);
  std::vector<float> classes(n, 2.0f), objectness(n, 2.0f);
  omp_set_num_threads(threads());
  for (auto _ : state)
    benchmark::DoNotOptimize(kernels::sparse_inst_cpu(
        kernels::dense(classes.data(), DataType::f32, 1, n, 1, 1, 0),
        kernels::dense(objectness.data(), DataType::f32, 1, n, 1, 1, 0),
        kernels::dense(masks.data(), DataType::f32, 1, map_height, map_width, n, 1), 0, kImageGeometry, {}));
  state.counters["masks/s"] = benchmark::Counter(n, benchmark::Counter::kIsIterationInvariantRate);
}

/// COCO's compressed runs of one 1920x1080 mask.
void encode_rle(benchmark::State& state) {
  const int words_per_column = (kHeight + 63) / 64;
  std::vector<std::uint64_t> words(std::size_t(words_per_column) * kWidth);
  for (int x = kWidth / 4; x < 3 * kWidth / 4; ++x)
    for (int y = kHeight / 4; y < 3 * kHeight / 4; ++y)
      words[std::size_t(x * words_per_column + y / 64)] |= std::uint64_t{1} << (y % 64);
  for (auto _ : state) benchmark::DoNotOptimize(rle::string_from_bits(kHeight, kWidth, words, words_per_column));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(8 * words.size()));
}

BENCHMARK_CAPTURE(decode_jpeg, library, true)
    ->Name("images/decode_jpeg_1080p/library")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(decode_jpeg, alone, false)
    ->Name("images/decode_jpeg_1080p/alone")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(preprocess)->Name("images/preprocess_1080p")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(postprocess)
    ->Name("images/postprocess_100_at_1080p/noise")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(encode_rle)->Name("images/encode_rle_1080p")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace maskrt::bench
