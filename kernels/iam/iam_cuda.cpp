#include "iam_cuda.h"

#include <algorithm>
#include <string>

#include "aggregate_params.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

std::int64_t tiles(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }
std::int64_t positions_of(const Tensor& t) { return t.height * t.width; }

/// Positions cut into equal stretches, the last one shorter.
struct Stretches {
  std::int64_t length = 0, count = 0;
};
/// About `wanted` of them, of multiples of `step` positions.
Stretches stretches_of(std::int64_t positions, std::int64_t wanted, std::int64_t step) {
  const std::int64_t length = tiles(tiles(positions, std::max<std::int64_t>(wanted, 1)), step) * step;
  return {length, tiles(positions, length)};
}

/// A block of statistics takes 32 maps; two blocks for each multiprocessor keep the memory busy.
Stretches statistics_stretches(const Chip& chip, const Tensor& maps) {
  return stretches_of(positions_of(maps), 2 * chip.multiprocessors / (tiles(maps.channels, 32) * maps.batch), 64);
}
std::size_t statistics_bytes(const Chip& chip, const Tensor& maps) {
  const std::int64_t count = maps.batch * statistics_stretches(chip, maps).count * maps.channels;
  return static_cast<std::size_t>(tiles(count * static_cast<std::int64_t>(sizeof(cuda::MapStatistics)), 256) * 256);
}

/// The tensor whose channels are the maps and what is between their groups.
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

/// How aggregate_cuda cuts its work.
struct AggregatePlan {
  std::int64_t map_tiles = 0, channel_tiles = 0, product_stride = 0;
  Stretches stretches;
  std::int64_t sums = 0;             ///< of stretches, each of product_stride products and one weight
  std::size_t statistics_bytes = 0;  ///< at the start of the workspace; the products follow, then the weights
  std::size_t bytes = 0;
};
/// `rows`: the maps that count.
AggregatePlan plan_of(const Chip& chip, const Tensor& maps, std::int64_t rows, const Tensor& features,
                      MapWeights weights) {
  using Tile = cuda::AggregateTile;
  AggregatePlan plan;
  const bool half = maps.type == DataType::f16;
  plan.map_tiles = tiles(maps.channels, half ? Tile::maps : 64);
  plan.channel_tiles = tiles(features.channels, half ? Tile::channels : 64);
  plan.product_stride = tiles(features.channels, 8) * 8;
  // The tensor-core kernel has a multiprocessor to itself, of the other one two blocks fit.
  const std::int64_t blocks = chip.multiprocessors * (half ? 1 : 2);
  plan.stretches =
      stretches_of(positions_of(maps), blocks / (plan.map_tiles * plan.channel_tiles * maps.batch), Tile::positions);
  plan.sums = maps.batch * plan.stretches.count * rows;
  plan.statistics_bytes = weights == MapWeights::softmax ? statistics_bytes(chip, maps) : 0;
  plan.bytes = plan.statistics_bytes + static_cast<std::size_t>(plan.sums * (plan.product_stride + 1)) * sizeof(float);
  return plan;
}

void launch_statistics(CudaQueue& queue, const Tensor& maps, bool softmax, void* statistics) {
  const Stretches stretches = statistics_stretches(queue.chip(), maps);
  const cuda::MapStatisticsParams params{cuda::map_of(maps, "maps"), static_cast<cuda::MapStatistics*>(statistics),
                                         static_cast<std::int32_t>(stretches.length)};
  const bool half = maps.type == DataType::f16;
  KernelLaunch what;
  what.kernel = {"iam/maps",
                 softmax ? (half ? "map_softmax_f16" : "map_softmax_f32") : (half ? "map_sums_f16" : "map_sums_f32")};
  what.grid = {static_cast<std::uint32_t>(tiles(maps.channels, 32)), static_cast<std::uint32_t>(stretches.count),
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
                                           static_cast<std::int32_t>(plan.stretches.count),
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

/// Statistics of the maps, then each element divided.
void divide(CudaQueue& queue, const Tensor& maps, bool softmax, double epsilon, void* workspace, const Tensor& out) {
  cuda::require_same_shape(maps, "maps", out, "divided maps");
  cuda::require_same_type(maps, "maps", out, "divided maps");
  launch_statistics(queue, maps, softmax, workspace);
  const cuda::DivideMapsParams params{
      cuda::map_of(maps, "maps"), cuda::map_of(out, "divided maps"), static_cast<cuda::MapStatistics*>(workspace),
      static_cast<std::int32_t>(statistics_stretches(queue.chip(), maps).count), static_cast<float>(epsilon)};
  const bool half = maps.type == DataType::f16;
  KernelLaunch what;
  what.kernel = {"iam/maps", softmax ? (half ? "softmax_maps_f16" : "softmax_maps_f32")
                                     : (half ? "normalise_maps_f16" : "normalise_maps_f32")};
  // A thread adds up the statistics of its maps, so it takes several positions.
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
                    void* workspace, const Tensor& out, const MapGroups& groups) {
  cuda::require_same_type(maps, "aggregate: maps", features, "features");
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
      static_cast<cuda::MapStatistics*>(workspace),
      products,
      sums,
      static_cast<std::int32_t>(softmax ? statistics_stretches(queue.chip(), all).count : 0),
      static_cast<std::int32_t>(plan.product_stride),
      static_cast<std::int32_t>(plan.stretches.length),
      static_cast<std::int32_t>(plan.map_tiles),
      static_cast<std::int32_t>(weights),
      in_eights(map) && in_eights(feature) ? 1 : 0};
  KernelLaunch what;
  what.grid = {static_cast<std::uint32_t>(plan.map_tiles * plan.channel_tiles),
               static_cast<std::uint32_t>(plan.stretches.count), static_cast<std::uint32_t>(maps.batch)};
  what.block = {256, 1, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  if (half) {
    using Tile = cuda::AggregateTile;
    what.kernel = {"iam/aggregate_mma", softmax                          ? "aggregate_softmax_f16"
                                        : weights == MapWeights::sigmoid ? "aggregate_sigmoid_f16"
                                                                         : "aggregate_plain_f16"};
    what.shared_bytes = queue.chip().path() == KernelPath::sm75 ? Tile::shared_bytes_sm75 : Tile::shared_bytes;
  } else {
    what.kernel = {"iam/aggregate", "aggregate_f32"};
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
