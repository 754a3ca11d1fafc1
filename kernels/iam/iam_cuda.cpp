#include "iam_cuda.h"

#include <algorithm>
#include <string>

#include "aggregate_params.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kMapsFile = "iam/maps";
constexpr const char* kMmaFile = "iam/aggregate_mma";
constexpr KernelName kAggregateF32{"iam/aggregate", "aggregate_f32"};  // the weights are a parameter

constexpr cuda::KernelFamily kMapSums{
    "sums of maps", "maps", {{{f32}, {kMapsFile, "map_sums_f32"}}, {{f16}, {kMapsFile, "map_sums_f16"}}}};
constexpr cuda::KernelFamily kMapSoftmax{
    "softmax of maps", "maps", {{{f32}, {kMapsFile, "map_softmax_f32"}}, {{f16}, {kMapsFile, "map_softmax_f16"}}}};
constexpr cuda::KernelFamily kNormaliseMaps{
    "normalise maps",
    "maps, output",
    {{{f32, f32}, {kMapsFile, "normalise_maps_f32"}}, {{f16, f16}, {kMapsFile, "normalise_maps_f16"}}}};
constexpr cuda::KernelFamily kSoftmaxMaps{
    "softmax maps",
    "maps, output",
    {{{f32, f32}, {kMapsFile, "softmax_maps_f32"}}, {{f16, f16}, {kMapsFile, "softmax_maps_f16"}}}};
constexpr cuda::KernelFamily kAggregatePlain{
    "aggregate", "maps, features", {{{f32, f32}, kAggregateF32}, {{f16, f16}, {kMmaFile, "aggregate_plain_f16"}}}};
constexpr cuda::KernelFamily kAggregateSigmoid{
    "aggregate with sigmoid",
    "maps, features",
    {{{f32, f32}, kAggregateF32}, {{f16, f16}, {kMmaFile, "aggregate_sigmoid_f16"}}}};
constexpr cuda::KernelFamily kAggregateSoftmax{
    "aggregate with softmax",
    "maps, features",
    {{{f32, f32}, kAggregateF32}, {{f16, f16}, {kMmaFile, "aggregate_softmax_f16"}}}};

const cuda::KernelFamily& aggregate_family(MapWeights weights) {
  switch (weights) {
    case MapWeights::plain:
      return kAggregatePlain;
    case MapWeights::sigmoid:
      return kAggregateSigmoid;
    case MapWeights::softmax:
      return kAggregateSoftmax;
  }
  throw Error("aggregate: expected plain, sigmoid or softmax weights, found number " +
              std::to_string(static_cast<int>(weights)));
}

std::int64_t tiles(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }
std::int64_t positions_of(const Tensor& t) { return t.height * t.width; }

/// Positions divided into splits of equal length; the last one may be shorter.
struct Splits {
  std::int64_t length = 0, count = 0;
};
/// About `wanted` splits, whose length is a multiple of `step` positions.
Splits splits_of(std::int64_t positions, std::int64_t wanted, std::int64_t step) {
  const std::int64_t length = tiles(tiles(positions, std::max<std::int64_t>(wanted, 1)), step) * step;
  return {length, tiles(positions, length)};
}

/// Splits of the statistics kernel, whose blocks have 32 maps: two blocks a multiprocessor saturate memory.
Splits statistics_splits(const Chip& chip, const Tensor& maps) {
  return splits_of(positions_of(maps), 2 * chip.multiprocessors / (tiles(maps.channels, 32) * maps.batch), 64);
}
std::size_t statistics_bytes(const Chip& chip, const Tensor& maps) {
  const std::int64_t count = maps.batch * statistics_splits(chip, maps).count * maps.channels;
  return static_cast<std::size_t>(tiles(count * static_cast<std::int64_t>(sizeof(cuda::MapStatistics)), 256) * 256);
}

/// `maps` with the padding between groups as channels. Throws Error where the tensor does not have that layout.
Tensor with_gaps(const Tensor& maps, const MapGroups& groups) {
  if (groups.maps == 0) return maps;
  if (groups.stride < groups.maps || maps.channels % groups.maps != 0 ||
      maps.block != maps.channels / groups.maps * groups.stride)
    throw Error("aggregate: expected groups of " + std::to_string(groups.maps) + " maps, " +
                std::to_string(groups.stride) + " channels apart, found " + std::to_string(maps.channels) +
                " maps in blocks of " + std::to_string(maps.block));
  Tensor all = maps;
  all.channels = maps.block;
  return all;
}

/// Tiles, split-K and workspace of aggregate_cuda.
struct AggregatePlan {
  std::int64_t map_tiles = 0, channel_tiles = 0, product_stride = 0;
  Splits splits;
  std::int64_t sums = 0;             ///< rows of partial sums: batch x splits x maps
  std::size_t statistics_bytes = 0;  ///< statistics come first in the workspace, then products, then sums of weights
  std::size_t bytes = 0;
};
/// `rows`: the number of maps; `maps` may have more channels, the padding between groups.
AggregatePlan plan_of(const Chip& chip, const Tensor& maps, std::int64_t rows, const Tensor& features,
                      MapWeights weights) {
  using Tile = cuda::AggregateTile;
  AggregatePlan plan;
  const bool half = maps.type == DataType::f16;
  plan.map_tiles = tiles(maps.channels, half ? Tile::kMaps : 64);
  plan.channel_tiles = tiles(features.channels, half ? Tile::kChannels : 64);
  plan.product_stride = tiles(features.channels, 8) * 8;
  // One wave: one block of the tensor-core kernel a multiprocessor, two of the fp32 kernel.
  const std::int64_t blocks = chip.multiprocessors * (half ? 1 : 2);
  plan.splits =
      splits_of(positions_of(maps), blocks / (plan.map_tiles * plan.channel_tiles * maps.batch), Tile::kPositions);
  plan.sums = maps.batch * plan.splits.count * rows;
  plan.statistics_bytes = weights == MapWeights::softmax ? statistics_bytes(chip, maps) : 0;
  plan.bytes = plan.statistics_bytes + static_cast<std::size_t>(plan.sums * (plan.product_stride + 1)) * sizeof(float);
  return plan;
}

void launch_statistics(CudaQueue& queue, const Tensor& maps, bool softmax, void* statistics) {
  const Splits splits = statistics_splits(queue.chip(), maps);
  const cuda::MapStatisticsParams params{cuda::map_of(maps, "maps"), static_cast<cuda::MapStatistics*>(statistics),
                                         static_cast<std::int32_t>(splits.length)};
  KernelLaunch what;
  what.kernel = (softmax ? kMapSoftmax : kMapSums).of({maps.type});
  what.grid = {static_cast<std::uint32_t>(tiles(maps.channels, 32)), static_cast<std::uint32_t>(splits.count),
               static_cast<std::uint32_t>(maps.batch)};
  what.block = {256, 1, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

void launch_finish(CudaQueue& queue, const AggregatePlan& plan, const float* products, const float* sums, bool divide,
                   double epsilon, const Tensor& out) {
  const cuda::AggregateFinishParams params{cuda::list_of(out, "aggregate: output"),
                                           products,
                                           sums,
                                           static_cast<std::int32_t>(plan.product_stride),
                                           static_cast<std::int32_t>(plan.splits.count),
                                           divide ? 1 : 0,
                                           static_cast<float>(epsilon)};
  KernelLaunch what;
  what.kernel = {"iam/aggregate", "aggregate_finish"};
  what.grid = {static_cast<std::uint32_t>(out.height), static_cast<std::uint32_t>(tiles(out.block, 256)),
               static_cast<std::uint32_t>(out.batch)};
  what.block = {64, 4, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

/// Two launches: statistics of the maps, then their normalisation.
void divide(CudaQueue& queue, const Tensor& maps, bool softmax, double epsilon, void* workspace, const Tensor& out) {
  cuda::require_same_shape(maps, "maps", out, "divided maps");
  KernelLaunch what;
  what.kernel = (softmax ? kSoftmaxMaps : kNormaliseMaps).of({maps.type, out.type});
  launch_statistics(queue, maps, softmax, workspace);
  const cuda::DivideMapsParams params{
      cuda::map_of(maps, "maps"), cuda::map_of(out, "divided maps"), static_cast<cuda::MapStatistics*>(workspace),
      static_cast<std::int32_t>(statistics_splits(queue.chip(), maps).count), static_cast<float>(epsilon)};
  // Each thread first combines the statistics of its maps, which pays for several positions.
  what.block = {8, 32, 1};
  what.grid = {static_cast<std::uint32_t>(tiles(positions_of(maps), 32 * 8)),
               static_cast<std::uint32_t>(tiles(out.block, 8 * 8)), static_cast<std::uint32_t>(maps.batch)};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace

std::size_t aggregate_workspace_bytes(const Chip& chip, const Tensor& maps, const Tensor& features, MapWeights weights,
                                      const MapGroups& groups) {
  return plan_of(chip, with_gaps(maps, groups), maps.channels, features, weights).bytes;
}

void aggregate_cuda(CudaQueue& queue, const Tensor& maps, const Tensor& features, MapWeights weights, double epsilon,
                    void* workspace, const Tensor& out, const MapGroups& groups, const float* bias) {
  KernelLaunch what;
  what.kernel = aggregate_family(weights).of({maps.type, features.type});
  if (maps.batch != features.batch || maps.height != features.height || maps.width != features.width ||
      out.batch != maps.batch || out.height != maps.channels || out.channels != features.channels || maps.batch > 65535)
    throw Error("aggregate: expected features and a list for maps " +
                to_string(Shape{maps.batch, maps.height, maps.width, maps.channels}) + ", found " +
                to_string(Shape{features.batch, features.height, features.width, features.channels}) + " and " +
                to_string(Shape{out.batch, out.height, out.width, out.channels}));
  const Tensor all = with_gaps(maps, groups);
  const AggregatePlan plan = plan_of(queue.chip(), all, maps.channels, features, weights);
  float* products = reinterpret_cast<float*>(static_cast<std::byte*>(workspace) + plan.statistics_bytes);
  float* sums = products + plan.sums * plan.product_stride;
  const bool half = maps.type == DataType::f16, softmax = weights == MapWeights::softmax;
  if (softmax) launch_statistics(queue, all, true, workspace);

  const cuda::Map map = cuda::map_of(all, "aggregate: maps"), feature = cuda::map_of(features, "aggregate: features");
  const auto in_eights = [](const cuda::Map& m) { return m.aligned != 0 && m.block >= tiles(m.channels, 8) * 8; };
  const cuda::AggregateParams params{
      map,
      feature,
      cuda::divide_by(groups.maps == 0 ? maps.channels : groups.stride),
      static_cast<std::int32_t>(groups.maps == 0 ? maps.channels : groups.maps),
      static_cast<std::int32_t>(maps.channels),
      bias,
      static_cast<cuda::MapStatistics*>(workspace),
      products,
      sums,
      static_cast<std::int32_t>(softmax ? statistics_splits(queue.chip(), all).count : 0),
      static_cast<std::int32_t>(plan.product_stride),
      static_cast<std::int32_t>(plan.splits.length),
      static_cast<std::int32_t>(plan.map_tiles),
      static_cast<std::int32_t>(weights),
      in_eights(map) && in_eights(feature) ? 1 : 0};
  what.grid = {static_cast<std::uint32_t>(plan.map_tiles * plan.channel_tiles),
               static_cast<std::uint32_t>(plan.splits.count), static_cast<std::uint32_t>(maps.batch)};
  what.block = {256, 1, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  if (half) {
    using Tile = cuda::AggregateTile;
    what.shared_bytes = queue.chip().path() == KernelPath::sm75 ? Tile::kSharedBytesSm75 : Tile::kSharedBytes;
  }
  queue.launch(what);

  const bool divided = weights != MapWeights::plain;
  launch_finish(queue, plan, products, sums, divided,
                softmax ? 0 : epsilon * (half ? static_cast<double>(cuda::kAggregateScale) : 1.0), out);
}

std::size_t normalise_maps_workspace_bytes(const Chip& chip, const Tensor& maps) {
  return statistics_bytes(chip, maps);
}

void normalise_maps_cuda(CudaQueue& queue, const Tensor& maps, double epsilon, void* workspace, const Tensor& out) {
  divide(queue, maps, false, epsilon, workspace, out);
}

void softmax_maps_cuda(CudaQueue& queue, const Tensor& maps, void* workspace, const Tensor& out) {
  divide(queue, maps, true, 0, workspace, out);
}

}  // namespace maskrt::kernels
