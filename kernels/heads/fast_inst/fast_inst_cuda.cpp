#include "fast_inst_cuda.h"

#include <cstring>
#include <limits>
#include <string>

#include "fast_inst_params.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "kernels/select/select_cuda.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kQueryPlanes{"FastInst",
                                          "mask logits",
                                          {{{f32}, {"heads/fast_inst/query_planes", "query_planes_f32"}},
                                           {{f16}, {"heads/fast_inst/query_planes", "query_planes_f16"}}}};
constexpr cuda::KernelFamily kClassMap[] = {{"FastInst",
                                             "mask logits",
                                             {{{f32}, {"heads/fast_inst/class_map", "class_map_f32_128"}},
                                              {{f16}, {"heads/fast_inst/class_map", "class_map_f16_128"}}}},
                                            {"FastInst",
                                             "mask logits",
                                             {{{f32}, {"heads/fast_inst/class_map", "class_map_f32_32"}},
                                              {{f16}, {"heads/fast_inst/class_map", "class_map_f16_32"}}}}};
constexpr int kClassMapPixels[] = {128, 32};
constexpr cuda::KernelFamily kCompete{"FastInst",
                                      "mask logits",
                                      {{{f32}, {"heads/fast_inst/segment_map", "compete_for_pixels_f32"}},
                                       {{f16}, {"heads/fast_inst/segment_map", "compete_for_pixels_f16"}}}};

/// Parts of a block of memory, one behind the other, each aligned to 256 bytes.
class Parts {
 public:
  explicit Parts(std::byte* memory) : memory_(reinterpret_cast<std::uintptr_t>(memory)) {}
  template <typename T>
  T* take(std::int64_t count) {
    T* const part = reinterpret_cast<T*>(memory_ + bytes_);  // an offset where there is no memory
    bytes_ += (static_cast<std::size_t>(count) * sizeof(T) + 255) / 256 * 256;
    return part;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::uintptr_t memory_;
  std::size_t bytes_ = 0;
};

std::int64_t queries_of(const FastInstPlan& plan) { return plan.class_logits.height; }
std::int64_t classes_of(const FastInstPlan& plan) { return plan.class_logits.channels - 1; }
std::int64_t share_stride(const FastInstPlan& plan) {
  return (classes_of(plan) + cuda::kClassesAtOnce - 1) / cuda::kClassesAtOnce * cuda::kClassesAtOnce;
}

/// Probabilities of classes.
struct Shares {
  float* shares;
  cuda::BestShare* best;

  Shares(const FastInstPlan& plan, Parts& parts)
      : shares(parts.take<float>(plan.class_logits.batch * queries_of(plan) * share_stride(plan))),
        best(parts.take<cuda::BestShare>(plan.class_logits.batch * queries_of(plan))) {}

  void launch(CudaQueue& queue, const FastInstPlan& plan) const {
    const cuda::ClassSharesParams params{cuda::list_of(plan.class_logits, "FastInst: class logits"), shares, best,
                                         static_cast<std::int32_t>(share_stride(plan))};
    queue.launch({.kernel = {"heads/fast_inst/class_shares", "class_shares"},
                  .grid = {static_cast<std::uint32_t>((queries_of(plan) + 7) / 8), 1,
                           static_cast<std::uint32_t>(plan.class_logits.batch)},
                  .block = {256},
                  .overlaps_previous = true,
                  .parameters = bytes_of(params)});
  }
};

/// The workspace of instances. What is zero between calls comes first.
struct InstanceWorkspace {
  std::uint32_t* blocks_done;
  cuda::QueryReach reach{};
  std::size_t cleared;
  Shares shares;
  std::int32_t* positions;
  float* probabilities;
  cuda::QueryMasks queries{};
  std::byte* planes;
  std::int64_t pitch;  ///< elements from row to row of a plane: whole sectors
  std::size_t bytes;

  InstanceWorkspace(const FastInstPlan& plan, std::int64_t pairs, std::byte* memory)
      : InstanceWorkspace(plan, pairs, Parts(memory)) {}

 private:
  InstanceWorkspace(const FastInstPlan& plan, std::int64_t pairs, Parts parts)
      : blocks_done(parts.take<std::uint32_t>(1)),
        reach(reach_of(plan, parts)),
        cleared(parts.bytes()),
        shares(plan, parts) {
    const Tensor& m = plan.mask_logits;
    const std::int64_t images = m.batch, jobs = images * m.channels,
                       element = static_cast<std::int64_t>(size_of(m.type));
    positions = parts.take<std::int32_t>(images * pairs);
    probabilities = parts.take<float>(images * pairs);
    queries.jobs.jobs = parts.take<cuda::MaskJob>(jobs);
    queries.jobs.first_tiles = parts.take<std::uint32_t>(jobs);
    queries.header = parts.take<cuda::InstanceHeader>(1);
    queries.records = parts.take<cuda::InstanceRecord>(jobs);
    queries.inside = parts.take<std::uint64_t>(jobs);
    queries.job_of = parts.take<std::int32_t>(jobs);
    queries.has_a_pair = parts.take<std::uint8_t>(jobs);
    pitch = (m.width * element + 31) / 32 * 32 / element;
    planes = parts.take<std::byte>(jobs * m.height * pitch * element);
    bytes = parts.bytes();
  }
  static cuda::QueryReach reach_of(const FastInstPlan& plan, Parts& parts) {
    constexpr std::int64_t sector = cuda::kReachOfSector;
    const std::int64_t stride = (queries_of(plan) + sector - 1) / sector * sector;
    cuda::QueryReach reach{};
    for (std::uint32_t** side : {&reach.from_right, &reach.right, &reach.from_bottom, &reach.bottom})
      *side = parts.take<std::uint32_t>(plan.class_logits.batch * stride);
    reach.stride = static_cast<std::int32_t>(stride);
    return reach;
  }
};

/// The workspace of segments. What is zero between calls comes first.
struct SegmentWorkspace {
  std::uint32_t* blocks_done;
  cuda::CandidateCounts* counts;
  std::size_t cleared;
  Shares shares;
  std::int32_t* id_of;
  std::size_t bytes;

  SegmentWorkspace(const FastInstPlan& plan, std::byte* memory) : SegmentWorkspace(plan, Parts(memory)) {}

 private:
  SegmentWorkspace(const FastInstPlan& plan, Parts parts)
      : blocks_done(parts.take<std::uint32_t>(1)),
        counts(parts.take<cuda::CandidateCounts>(plan.class_logits.batch * queries_of(plan))),
        cleared(parts.bytes()),
        shares(plan, parts),
        id_of(parts.take<std::int32_t>(plan.class_logits.batch * queries_of(plan))),
        bytes(parts.bytes()) {}
};

/// The result block of segments.
struct SegmentResult {
  std::int32_t* segments;
  cuda::SegmentRecord* records;
  std::size_t bytes;

  SegmentResult(const FastInstPlan& plan, std::byte* memory) : SegmentResult(plan, Parts(memory)) {}

 private:
  SegmentResult(const FastInstPlan& plan, Parts parts)
      : segments(parts.take<std::int32_t>(plan.class_logits.batch)),
        records(parts.take<cuda::SegmentRecord>(plan.class_logits.batch * queries_of(plan))),
        bytes(parts.bytes()) {}
};

/// Which class_map computes it: of the largest tile whose probabilities the chip has shared memory for.
std::size_t class_map_of(const FastInstPlan& plan, const Chip& chip) {
  constexpr std::uint32_t declared = 6 * 1024;  // what the kernels have beside it
  for (std::size_t i = 0; i < std::size(kClassMapPixels); ++i)
    if (static_cast<std::uint32_t>(cuda::class_map_bytes(static_cast<int>(queries_of(plan)), kClassMapPixels[i])) +
            declared <=
        chip.shared_per_block)
      return i;
  throw Error("FastInst: expected queries whose probabilities at 32 pixels fit into the " +
              std::to_string(chip.shared_per_block) + " bytes of shared memory that a block may have, found " +
              std::to_string(queries_of(plan)));
}

/// A launch of as many blocks as are resident at a time.
void launch_persistent(CudaQueue& queue, KernelLaunch launch) {
  launch.grid.x = static_cast<std::uint32_t>(std::max(1, queue.resident_blocks(launch)));
  queue.launch(launch);
}

}  // namespace

void check(const FastInstPlan& plan) {
  const Tensor &c = plan.class_logits, &m = plan.mask_logits;
  if (c.batch != m.batch || c.height != m.channels)
    throw Error("FastInst: expected masks of " + std::to_string(c.batch) + " images and " + std::to_string(c.height) +
                " queries, as the class logits have them, found " + std::to_string(m.batch) + " and " +
                std::to_string(m.channels));
  if (c.channels < 2)
    throw Error("FastInst: expected logits of a class and of none at least, found " + std::to_string(c.channels));
  if (plan.detections < 1 || plan.detections > kMostSelected)
    throw Error("FastInst: expected from 1 to " + std::to_string(kMostSelected) + " detections of an image, found " +
                std::to_string(plan.detections));
  if (c.height * share_stride(plan) > kMostPositions)
    throw Error("FastInst: expected at most " + std::to_string(kMostPositions) +
                " pairs of a query and a class, found " + std::to_string(c.height * share_stride(plan)));
  check(MaskPlan{m, 1, plan.padded_width, plan.padded_height, 0.5f});
}

// ---- Instances ------------------------------------------------------------------------------------------------------

FastInstInstances::FastInstInstances(const FastInstPlan& plan)
    : plan_(plan),
      masks_{plan.mask_logits, 1, plan.padded_width, plan.padded_height, 0.5f},
      pairs_(std::min<std::int64_t>(plan.detections, queries_of(plan) * classes_of(plan))) {
  check(plan);
}

std::size_t FastInstInstances::workspace_bytes() const { return InstanceWorkspace(plan_, pairs_, nullptr).bytes; }

void FastInstInstances::clear(CudaQueue& queue, std::byte* workspace) const {
  queue.set_bytes(workspace, 0, InstanceWorkspace(plan_, pairs_, workspace).cleared);
}

void FastInstInstances::launch(CudaQueue& queue, const HeadMemory& memory, bool runs) const {
  const Tensor& m = plan_.mask_logits;
  const InstanceWorkspace workspace(plan_, pairs_, memory.workspace);
  const auto* const call = reinterpret_cast<const cuda::MaskCall*>(memory.call);
  const std::int64_t batch = m.batch, stride = share_stride(plan_);

  workspace.shares.launch(queue, plan_);
  select_top_cuda(queue, dense(workspace.shares.shares, f32, batch, queries_of(plan_) * stride, 1, 1, 0),
                  dense(workspace.positions, i32, batch, pairs_, 1, 1, 0),
                  dense(workspace.probabilities, f32, batch, pairs_, 1, 1, 0));

  const cuda::QueryClassPairs pairs{workspace.positions, workspace.probabilities,
                                    plan_.things_alone ? plan_.things : nullptr, static_cast<std::int32_t>(pairs_),
                                    static_cast<std::int32_t>(stride)};
  cuda::QueryPlanesParams planes{};
  planes.masks = cuda::map_of(m, "FastInst: mask logits");
  planes.call = call;
  planes.planar = {workspace.planes, planes.masks.height, planes.masks.width,
                   static_cast<std::int32_t>(workspace.pitch)};
  planes.reach = workspace.reach;
  planes.pairs = pairs;
  planes.queries = workspace.queries;
  planes.blocks_done = workspace.blocks_done;
  planes.batch = static_cast<std::int32_t>(batch);
  planes.tiles_across = (planes.masks.width + cuda::kPlaneColumns - 1) / cuda::kPlaneColumns;
  const std::int64_t down = (m.height + cuda::kPlaneRows - 1) / cuda::kPlaneRows;
  queue.launch({.kernel = kQueryPlanes.of({m.type}),
                .grid = {static_cast<std::uint32_t>(planes.tiles_across * down),
                         static_cast<std::uint32_t>((m.channels + cuda::kPlaneQueries - 1) / cuda::kPlaneQueries),
                         static_cast<std::uint32_t>(batch)},
                .block = {cuda::kPlaneThreads},
                .overlaps_previous = true,
                .parameters = bytes_of(planes)});

  const PlacedMasks placed{call,
                           planes.planar,
                           workspace.queries.header,
                           workspace.queries.jobs,
                           workspace.queries.records,
                           workspace.queries.inside};
  masks_cuda(queue, masks_, placed, runs);

  cuda::RankInstancesParams rank{};
  rank.call = call;
  rank.pairs = pairs;
  rank.queries = workspace.queries;
  rank.header = reinterpret_cast<cuda::InstanceHeader*>(memory.result);
  rank.records = reinterpret_cast<cuda::InstanceRecord*>(memory.result + sizeof *rank.header);
  rank.first_of_image = reinterpret_cast<std::uint32_t*>(memory.result + block().first_of_image_offset());
  rank.batch = planes.batch;
  rank.queries_of_image = planes.masks.channels;
  queue.launch({.kernel = {"heads/fast_inst/rank_instances", "rank_instances"},
                .grid = {1},
                .block = {cuda::kRankThreads},
                .overlaps_previous = true,
                .parameters = bytes_of(rank)});
}

// ---- Pictures -------------------------------------------------------------------------------------------------------

std::uint64_t PictureNumbers::count(std::span<const Geometry> pictures) {
  std::uint64_t count = 0;
  for (const Geometry& g : pictures)
    count += static_cast<std::uint64_t>(g.original_width) * static_cast<std::uint64_t>(g.original_height);
  return count;
}

std::size_t PictureNumbers::call_bytes(std::int64_t batch) {
  return sizeof(cuda::PictureCall) + static_cast<std::size_t>(batch) * sizeof(cuda::PictureOfCall);
}

void PictureNumbers::describe(const FastInstPlan& plan, std::span<const Geometry> pictures, std::int32_t* numbers,
                              int columns, int rows, std::span<std::byte> call) {
  const Tensor& m = plan.mask_logits;
  const MaskPlan masks{m, 1, plan.padded_width, plan.padded_height, 0.5f};
  // Geometries as masks have them, and their checks.
  std::vector<std::byte> as_masks(mask_call_bytes(m.batch));
  describe_mask_call(masks, pictures, {}, as_masks);
  if (call.size() < call_bytes(m.batch))
    throw Error("FastInst: expected " + std::to_string(call_bytes(m.batch)) + " bytes for the call, found " +
                std::to_string(call.size()));
  std::uint64_t first = 0;
  std::int64_t tiles = 0;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    cuda::PictureOfCall picture{};
    std::memcpy(&picture.geometry, as_masks.data() + sizeof(cuda::MaskCall) + i * sizeof picture.geometry,
                sizeof picture.geometry);
    const std::int64_t across = (pictures[i].original_width + columns - 1) / columns,
                       down = (pictures[i].original_height + rows - 1) / rows;
    picture.first_number = first;
    picture.first_tile = static_cast<std::int32_t>(tiles);
    picture.tiles_across = static_cast<std::int32_t>(across);
    tiles += across * down;
    if (tiles > std::numeric_limits<std::int32_t>::max() / 2)
      throw Error("FastInst: expected pictures of fewer than 2^30 tiles, found " + std::to_string(tiles));
    first += count(pictures.subspan(i, 1));
    std::memcpy(call.data() + sizeof(cuda::PictureCall) + i * sizeof picture, &picture, sizeof picture);
  }
  const cuda::PictureCall described{numbers, static_cast<std::int32_t>(tiles), {}};
  std::memcpy(call.data(), &described, sizeof described);
}

// ---- Classes --------------------------------------------------------------------------------------------------------

FastInstClassMap::FastInstClassMap(const FastInstPlan& plan) : plan_(plan) { check(plan); }

std::size_t FastInstClassMap::workspace_bytes() const {
  Parts parts(nullptr);
  const Shares shares(plan_, parts);
  return parts.bytes();
}

void FastInstClassMap::describe(const Chip& chip, std::span<const Geometry> pictures, std::int32_t* numbers,
                                std::span<std::byte> call) const {
  PictureNumbers::describe(plan_, pictures, numbers, cuda::kClassColumns,
                           kClassMapPixels[class_map_of(plan_, chip)] / cuda::kClassColumns, call);
}

void FastInstClassMap::launch(CudaQueue& queue, const PictureMemory& memory) const {
  Parts parts(memory.workspace);
  const Shares shares(plan_, parts);
  shares.launch(queue, plan_);
  const std::size_t kernel = class_map_of(plan_, queue.chip());
  cuda::ClassMapParams params{};
  params.masks = cuda::map_of(plan_.mask_logits, "FastInst: mask logits");
  params.shares = shares.shares;
  params.call = reinterpret_cast<const cuda::PictureCall*>(memory.call);
  params.batch = static_cast<std::int32_t>(plan_.mask_logits.batch);
  params.classes = static_cast<std::int32_t>(classes_of(plan_));
  params.stride = static_cast<std::int32_t>(share_stride(plan_));
  params.resize_after = plan_.resize_before_semantic ? 0 : 1;
  launch_persistent(queue, {.kernel = kClassMap[kernel].of({plan_.mask_logits.type}),
                            .grid = {},
                            .block = {cuda::kClassThreads},
                            .shared_bytes = static_cast<std::uint32_t>(
                                cuda::class_map_bytes(params.masks.channels, kClassMapPixels[kernel])),
                            .overlaps_previous = true,
                            .parameters = bytes_of(params)});
}

// ---- Segments -------------------------------------------------------------------------------------------------------

FastInstSegmentMap::FastInstSegmentMap(const FastInstPlan& plan) : plan_(plan) {
  check(plan);
  constexpr std::int64_t most = 1024;  // whose counts any chip's shared memory holds
  if (queries_of(plan) > most)
    throw Error("FastInst: expected at most " + std::to_string(most) + " queries that compete for pixels, found " +
                std::to_string(queries_of(plan)));
}

std::size_t FastInstSegmentMap::workspace_bytes() const { return SegmentWorkspace(plan_, nullptr).bytes; }
std::size_t FastInstSegmentMap::result_bytes() const { return SegmentResult(plan_, nullptr).bytes; }

void FastInstSegmentMap::clear(CudaQueue& queue, std::byte* workspace) const {
  queue.set_bytes(workspace, 0, SegmentWorkspace(plan_, workspace).cleared);
}

void FastInstSegmentMap::describe(std::span<const Geometry> pictures, std::int32_t* numbers,
                                  std::span<std::byte> call) const {
  PictureNumbers::describe(plan_, pictures, numbers, cuda::kSegmentColumns, cuda::kSegmentRows, call);
}

void FastInstSegmentMap::launch(CudaQueue& queue, const PictureMemory& memory) const {
  const SegmentWorkspace workspace(plan_, memory.workspace);
  const SegmentResult result(plan_, memory.result);
  workspace.shares.launch(queue, plan_);
  cuda::SegmentMapParams params{};
  params.masks = cuda::map_of(plan_.mask_logits, "FastInst: mask logits");
  params.best = workspace.shares.best;
  params.call = reinterpret_cast<const cuda::PictureCall*>(memory.call);
  params.things = plan_.things;
  params.counts = workspace.counts;
  params.id_of = workspace.id_of;
  params.segments = result.segments;
  params.records = result.records;
  params.blocks_done = workspace.blocks_done;
  params.batch = static_cast<std::int32_t>(plan_.mask_logits.batch);
  params.queries = static_cast<std::int32_t>(queries_of(plan_));
  params.classes = static_cast<std::int32_t>(classes_of(plan_));
  params.object_mask_threshold = plan_.object_mask_threshold;
  params.overlap_threshold = plan_.overlap_threshold;
  for (const KernelName kernel :
       {kCompete.of({plan_.mask_logits.type}), KernelName{"heads/fast_inst/segment_map", "paint_segments"}})
    launch_persistent(queue, {.kernel = kernel,
                              .grid = {},
                              .block = {cuda::kSegmentThreads},
                              .shared_bytes = static_cast<std::uint32_t>(cuda::segment_map_bytes(params.queries)),
                              .overlaps_previous = true,
                              .parameters = bytes_of(params)});
}

std::vector<std::vector<FastInstSegments::Segment>> FastInstSegmentMap::read(std::span<const std::byte> block) const {
  if (block.size() < result_bytes())
    throw Error("FastInst: expected a result of " + std::to_string(result_bytes()) + " bytes, found " +
                std::to_string(block.size()));
  const SegmentResult offsets(plan_, nullptr);
  const auto at = [&](const auto* part, std::int64_t index) {
    auto value = std::remove_cvref_t<decltype(*part)>{};
    std::memcpy(&value, block.data() + reinterpret_cast<std::uintptr_t>(part + index), sizeof value);
    return value;
  };
  std::vector<std::vector<FastInstSegments::Segment>> found(static_cast<std::size_t>(plan_.mask_logits.batch));
  for (std::size_t b = 0; b < found.size(); ++b) {
    const std::int32_t count = at(offsets.segments, static_cast<std::int64_t>(b));
    if (count < 0 || count > queries_of(plan_))
      throw Error("FastInst: expected at most " + std::to_string(queries_of(plan_)) + " segments, found " +
                  std::to_string(count));
    for (std::int32_t i = 0; i < count; ++i) {
      const cuda::SegmentRecord r = at(offsets.records, static_cast<std::int64_t>(b) * queries_of(plan_) + i);
      FastInstSegments::Segment& segment = found[b].emplace_back();
      segment = {r.query, r.class_id, r.probability, r.is_thing != 0, r.area, 0, 0, 0, 0};
      if (r.area != 0)
        segment.x = r.left, segment.y = r.top, segment.width = r.right - r.left + 1,
        segment.height = r.bottom - r.top + 1;
    }
  }
  return found;
}

}  // namespace maskrt::kernels
