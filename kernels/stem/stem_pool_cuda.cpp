#include "stem_pool_cuda.h"

#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "kernels/element.h"
#include "stem_pool_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kStemPool{"stem", "input, output", {{{f16, f16}, {"stem/stem_pool", "stem_pool_f16"}}}};

std::int64_t in_halves(std::int64_t n) { return (n - 1) / 2 + 1; }
std::int64_t parts(std::int64_t n, std::int64_t of) { return (n + of - 1) / of; }

}  // namespace

bool fits_stem(const Shape& weight) {
  return weight[1] <= cuda::kStemPixelChannels && weight[2] == cuda::kStemTaps && weight[3] == cuda::kStemTaps;
}

std::vector<std::byte> pack_stem_weight(const Shape& shape, std::span<const float> weight) {
  if (!fits_stem(shape)) throw Error("stem: expected weights [O, up to 4, 7, 7], found " + to_string(shape));
  const std::int64_t rows = parts(shape[0], cuda::kStemChannels) * cuda::kStemChannels;
  std::vector<std::byte> bytes(static_cast<std::size_t>(rows * cuda::kStemWeightRow) * size_of(DataType::f16));
  const Tensor packed = dense(bytes.data(), DataType::f16, 1, 1, rows, cuda::kStemWeightRow, 0);
  std::size_t at = 0;
  for (std::int64_t o = 0; o < shape[0]; ++o)
    for (std::int64_t c = 0; c < shape[1]; ++c)
      for (std::int64_t y = 0; y < cuda::kStemTaps; ++y)
        for (std::int64_t x = 0; x < cuda::kStemTaps; ++x)
          set(packed, 0, 0, o, y * cuda::kStemTapRow + x * 4 + c, weight[at++]);
  return bytes;
}

void stem_pool_cuda(CudaQueue& queue, const Tensor& in, const StemWeights& weights, Activation activation,
                    const Tensor& out) {
  const std::int64_t conv_height = in_halves(in.height), conv_width = in_halves(in.width);
  const Shape want{in.batch, in_halves(conv_height), in_halves(conv_width)}, found{out.batch, out.height, out.width};
  if (want != found) throw Error("stem: expected an output of " + to_string(want) + ", found " + to_string(found));
  const KernelName kernel = kStemPool.of({in.type, out.type});
  cuda::require_short(activation, "stem");
  const auto aligned = [](std::uintptr_t n) { return n % 8 == 0; };
  if (in.channels > 4 || in.pixel_stride != 4 || in.batch_stride % 4 != 0 ||
      !aligned(reinterpret_cast<std::uintptr_t>(in.data)))
    throw Error("stem: expected pixels of 4 channels, 8 bytes each, found " + std::to_string(in.channels) +
                " channels every " + std::to_string(in.pixel_stride));

  const auto across = static_cast<std::uint32_t>(parts(out.width, cuda::kStemPooled));
  const auto down = static_cast<std::uint32_t>(parts(out.height, cuda::kStemPooled));
  const cuda::StemPoolParams params{cuda::map_of(in, "stem: input"),
                                    cuda::map_of(out, "stem: output"),
                                    weights.packed,
                                    weights.scale,
                                    weights.bias,
                                    static_cast<std::int32_t>(conv_height),
                                    static_cast<std::int32_t>(conv_width),
                                    static_cast<std::int32_t>(across),
                                    activation};
  queue.launch({.kernel = kernel,
                .grid = {across * down, static_cast<std::uint32_t>(parts(params.out.block, cuda::kStemChannels)),
                         static_cast<std::uint32_t>(in.batch)},
                .block = {cuda::kStemThreads, 1, 1},
                .overlaps_previous = true,
                .parameters = bytes_of(params)});
}

}  // namespace maskrt::kernels
