#include "mask_product_cuda.h"

#include <algorithm>
#include <string>

#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "mask_product_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kMaskProduct{"mask product",
                                          "features, output",
                                          {{{f32, f32}, {"mask_head/mask_product", "mask_product_f32"}},
                                           {{f16, f16}, {"mask_head/mask_product_mma", "mask_product_f16"}},
                                           {{f16, f32}, {"mask_head/mask_product_mma", "mask_product_f16_f32"}}}};

std::int64_t tiles(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

}  // namespace

void mask_product_cuda(CudaQueue& queue, const Tensor& kernels, const Tensor& features, bool offset,
                       const Tensor& out) {
  const std::int64_t numbers = features.channels + (offset ? 1 : 0);
  if (kernels.batch != features.batch || out.batch != features.batch || out.batch > 65535 ||
      out.height != features.height || out.width != features.width || kernels.height != out.channels ||
      kernels.channels != numbers)
    throw Error("mask product: expected kernels [B, N, 1, " + std::to_string(numbers) + "] for features " +
                to_string(Shape{features.batch, features.height, features.width, features.channels}) +
                " and logits of N channels, found " +
                to_string(Shape{kernels.batch, kernels.height, kernels.width, kernels.channels}) + " and " +
                to_string(Shape{out.batch, out.height, out.width, out.channels}));
  KernelLaunch what;
  what.kernel = kMaskProduct.of({features.type, out.type});

  cuda::MaskProductParams params{cuda::list_of(kernels, "mask product: kernels"),
                                 cuda::map_of(features, "mask product: features"),
                                 cuda::map_of(out, "mask product: output"), offset ? 1 : 0, 1};
  const std::int64_t positions = out.height * out.width;
  if (features.type == DataType::f32) {
    what.grid = {static_cast<std::uint32_t>(tiles(positions, 64)), static_cast<std::uint32_t>(tiles(out.block, 64)),
                 static_cast<std::uint32_t>(out.batch)};
    what.block = {256, 1, 1};
  } else {
    using Tile = cuda::MaskProductTile;
    // At least two blocks a multiprocessor; with more positions each block computes several tiles, so that the mask
    // kernels are loaded less often.
    const std::int64_t columns = tiles(std::max(out.channels, out.block - Tile::kPadding), Tile::kInstances),
                       rows = tiles(positions, Tile::kPositions);
    const std::int64_t wanted = std::max<std::int64_t>(2 * queue.chip().multiprocessors, 1);
    params.tiles = static_cast<std::int32_t>(std::clamp<std::int64_t>(rows * columns * out.batch / wanted, 1, rows));
    what.grid = {static_cast<std::uint32_t>(tiles(rows, params.tiles)), static_cast<std::uint32_t>(columns),
                 static_cast<std::uint32_t>(out.batch)};
    what.block = {Tile::kThreads, 1, 1};
    what.shared_bytes = Tile::kSharedBytes;
  }
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
