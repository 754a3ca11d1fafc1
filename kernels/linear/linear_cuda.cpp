#include "linear_cuda.h"

#include <string>

#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "linear_params.h"

namespace maskrt::kernels {
namespace {

constexpr std::int64_t kTile = 32;

using enum DataType;
constexpr cuda::KernelFamily kLinear{"linear",
                                     "weights, output",
                                     {{{f32, f32}, {"linear/linear", "linear_f32"}},
                                      {{f32, f16}, {"linear/linear", "linear_f32"}},
                                      {{f16, f32}, {"linear/linear_mma", "linear_f16"}},
                                      {{f16, f16}, {"linear/linear_mma", "linear_f16"}}}};

std::int64_t tiles(std::int64_t n) { return (n + kTile - 1) / kTile; }

cuda::ListRows rows_of(const Tensor& in, const RegroupedList* regroup) {
  const cuda::Map map = cuda::list_of(in, "linear: input");
  cuda::ListRows rows{};
  rows.data = in.as<float>();
  rows.batch_stride = in.batch_stride;
  rows.rows = map.height;
  rows.channels = rows.segment = map.channels;
  rows.row_stride = in.pixel_stride;
  if (regroup != nullptr) {
    const std::int64_t numbers = in.height * in.channels, parts = regroup->blocks * regroup->instances;
    if (parts < 1 || numbers % parts != 0 || in.pixel_stride != in.channels)
      throw Error("linear: expected dense rows that divide into " + std::to_string(regroup->blocks) + " blocks of " +
                  std::to_string(regroup->instances) + " instances, found " + std::to_string(in.height) + " rows of " +
                  std::to_string(in.channels) + ", " + std::to_string(in.pixel_stride) + " apart");
    rows.segment = static_cast<std::int32_t>(numbers / parts);
    rows.rows = static_cast<std::int32_t>(regroup->instances);
    rows.channels = static_cast<std::int32_t>(regroup->blocks * rows.segment);
    rows.row_stride = rows.segment;
    rows.segment_stride = regroup->instances * rows.segment;
  }
  const auto in_fours = [](std::int64_t n) { return n % 4 == 0; };
  rows.aligned = reinterpret_cast<std::uintptr_t>(in.data) % 16 == 0 && in_fours(rows.batch_stride) &&
                 in_fours(rows.segment_stride) && in_fours(rows.row_stride) && rows.segment % 32 == 0;
  return rows;
}

}  // namespace

void linear_cuda(CudaQueue& queue, const Tensor& in, const RegroupedList* regroup, DataType weight_type,
                 std::span<const LinearHead> heads) {
  if (heads.empty() || heads.size() > cuda::LinearParams::kMostHeads)
    throw Error("linear: expected 1 to " + std::to_string(cuda::LinearParams::kMostHeads) + " heads, found " +
                std::to_string(heads.size()));
  cuda::LinearParams params{};
  params.in = rows_of(in, regroup);
  params.batch = static_cast<std::int32_t>(in.batch);
  params.weight_stride = static_cast<std::int32_t>(linear_weight_stride(params.in.channels));
  std::int64_t end_tile = 0;
  KernelLaunch what;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const Tensor& out = heads[i].out;
    if (out.batch != in.batch || out.height != params.in.rows || out.width != 1)
      throw Error("linear: expected an output of " + std::to_string(in.batch) + " x " + std::to_string(params.in.rows) +
                  " vectors, found " + std::to_string(out.batch) + " x " + std::to_string(out.height) + " x " +
                  std::to_string(out.width));
    what.kernel = kLinear.of({weight_type, out.type});
    cuda::require_short(heads[i].activation, "linear");
    end_tile += tiles(out.block);
    params.heads[i] = {heads[i].weight,
                       heads[i].bias,
                       cuda::map_of(out, "linear: output"),
                       static_cast<std::int32_t>(heads[i].activation),
                       out.type == DataType::f16 ? 1 : 0,
                       static_cast<std::int32_t>(end_tile)};
  }
  what.grid = {static_cast<std::uint32_t>(end_tile), static_cast<std::uint32_t>(tiles(in.batch * params.in.rows)), 1};
  if (what.grid.y > 65535)
    throw Error("linear: expected at most " + std::to_string(65535 * kTile) + " rows, found " +
                std::to_string(in.batch * params.in.rows));
  what.block = {256, 1, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
