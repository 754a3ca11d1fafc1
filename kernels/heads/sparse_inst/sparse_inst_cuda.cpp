#include "sparse_inst_cuda.h"

#include <string>

#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "score_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "heads/sparse_inst/score_queries";
/// By the factor that the mask logits are resized by, less 1.
constexpr cuda::KernelFamily kScoreQueries[] = {
    {"SparseInst", "mask logits", {{{f32}, {kFile, "score_queries_f32_x1"}}, {{f16}, {kFile, "score_queries_f16_x1"}}}},
    {"SparseInst",
     "mask logits",
     {{{f32}, {kFile, "score_queries_f32_x2"}}, {{f16}, {kFile, "score_queries_f16_x2"}}}}};

constexpr std::size_t kAlignment = 256;
// What a block has without opting in, less what the kernel declares.
constexpr std::size_t kMostShared = 46 * 1024;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Where the parts of the workspace begin.
struct WorkspaceLayout {
  explicit WorkspaceLayout(const Tensor& m) {
    const auto bytes = static_cast<std::int64_t>(size_of(m.type));
    pitch = (m.width * bytes + 31) / 32 * 32 / bytes;
    constexpr std::int64_t sector = cuda::kQueriesPerSector;
    tally_stride = (m.channels + sector - 1) / sector * sector;
    const auto instances = static_cast<std::size_t>(m.batch * m.channels);
    planar = kTallies + aligned(static_cast<std::size_t>(m.batch * tally_stride) * cuda::QueryTallies::kBytesOfOne);
    jobs = planar + aligned(static_cast<std::size_t>(m.batch * m.channels * m.height * pitch * bytes));
    first_tiles = jobs + aligned(instances * sizeof(cuda::MaskJob));
    end = first_tiles + aligned(instances * sizeof(std::uint32_t));
  }
  static constexpr std::size_t kTallies = kAlignment;  // behind the count of blocks that are done
  std::size_t planar, jobs, first_tiles, end;
  std::int64_t pitch;  ///< elements from row to row of a plane: whole sectors
  std::int64_t tally_stride;
};

/// The arrays of the tallies, one behind the other.
cuda::QueryTallies tallies_at(std::byte* data, std::int64_t batch, std::int64_t stride) {
  const auto take = [&]<typename T>(T*& array) {
    array = reinterpret_cast<T*>(data);
    data += static_cast<std::size_t>(batch * stride) * sizeof(T);
  };
  cuda::QueryTallies tallies{};
  take(tallies.sum);
  take(tallies.count);
  take(tallies.from_right);
  take(tallies.right);
  take(tallies.from_bottom);
  take(tallies.bottom);
  take(tallies.score);
  take(tallies.class_id);
  tallies.stride = static_cast<std::int32_t>(stride);
  return tallies;
}

std::uint32_t shared_bytes(int factor, const cuda::ScoreParams& params) {
  const int words = (cuda::score_patch_pixels(factor) * params.patch_words + 1) / 2 * 2;
  return static_cast<std::uint32_t>(words * 4 + cuda::kScoreTileHeight * params.chunk * 8);
}

/// As many queries a block as shared memory holds, in equal parts that begin with a sector of a pixel's logits.
void choose_chunk(int factor, std::int64_t queries, std::size_t element, cuda::ScoreParams& params) {
  const auto sector = static_cast<std::int64_t>(32 / element);
  for (std::int64_t parts = (queries + cuda::kScoreQueries - 1) / cuda::kScoreQueries;; ++parts) {
    params.chunk = static_cast<std::int32_t>(((queries + parts - 1) / parts + sector - 1) / sector * sector);
    // An odd number, so that lanes that read one query of many pixels meet different banks.
    params.patch_words = static_cast<std::int32_t>((static_cast<std::size_t>(params.chunk) * element + 3) / 4) | 1;
    if (shared_bytes(factor, params) <= kMostShared) return;
  }
}

}  // namespace

SparseInstCuda::SparseInstCuda(const SparseInstPlan& plan) : plan_(plan) {
  const Tensor& c = plan.class_logits;
  const Tensor& o = plan.objectness_logits;
  const Tensor& m = plan.masks.logits;
  const Shape found{o.batch, o.height, o.channels, m.batch, m.channels}, want{c.batch, c.height, 1, c.batch, c.height};
  if (found != want)
    throw Error("SparseInst: expected batch and queries of objectness and masks as the class logits have them " +
                to_string(want) + ", found " + to_string(found));
  check(plan.masks);
}

std::size_t SparseInstCuda::workspace_bytes() const { return WorkspaceLayout(plan_.masks.logits).end; }

void SparseInstCuda::clear(CudaQueue& queue, std::byte* workspace) const {
  queue.set_bytes(workspace, 0, WorkspaceLayout(plan_.masks.logits).planar);
}

void SparseInstCuda::launch(CudaQueue& queue, const HeadMemory& memory, bool runs) const {
  const MaskPlan& masks = plan_.masks;
  const Tensor& m = masks.logits;
  const WorkspaceLayout layout(m);

  cuda::ScoreParams score{};
  score.class_logits = cuda::list_of(plan_.class_logits, "SparseInst: class logits");
  score.objectness = cuda::list_of(plan_.objectness_logits, "SparseInst: objectness logits");
  score.mask_logits = cuda::map_of(m, "SparseInst: mask logits");
  score.call = reinterpret_cast<const cuda::MaskCall*>(memory.call);
  score.planar = {memory.workspace + layout.planar, score.mask_logits.height, score.mask_logits.width,
                  static_cast<std::int32_t>(layout.pitch)};
  score.tallies = tallies_at(memory.workspace + WorkspaceLayout::kTallies, m.batch, layout.tally_stride);
  score.jobs = {reinterpret_cast<cuda::MaskJob*>(memory.workspace + layout.jobs),
                reinterpret_cast<std::uint32_t*>(memory.workspace + layout.first_tiles)};
  score.blocks_done = reinterpret_cast<std::uint32_t*>(memory.workspace);
  score.header = reinterpret_cast<cuda::InstanceHeader*>(memory.result);
  score.records = reinterpret_cast<cuda::InstanceRecord*>(memory.result + sizeof *score.header);
  score.first_of_image = reinterpret_cast<std::uint32_t*>(memory.result + block().first_of_image_offset());
  score.batch = static_cast<std::int32_t>(m.batch);
  score.map_width = static_cast<std::int32_t>(masks.map_width());
  score.map_height = static_cast<std::int32_t>(masks.map_height());
  score.tiles_across = (score.map_width + cuda::kScoreTileWidth - 1) / cuda::kScoreTileWidth;
  score.tiles = score.tiles_across * ((score.map_height + cuda::kScoreTileHeight - 1) / cuda::kScoreTileHeight);
  score.score_threshold = plan_.score_threshold;
  choose_chunk(masks.factor, m.channels, size_of(m.type), score);
  queue.launch({.kernel = kScoreQueries[masks.factor - 1].of({m.type}),
                .grid = {static_cast<std::uint32_t>(score.tiles),
                         static_cast<std::uint32_t>((m.channels + score.chunk - 1) / score.chunk),
                         static_cast<std::uint32_t>(m.batch)},
                .block = {cuda::kScoreThreads},
                .shared_bytes = shared_bytes(masks.factor, score),
                .overlaps_previous = true,
                .parameters = bytes_of(score)});
  masks_cuda(queue, masks, {score.call, score.planar, score.header, score.jobs, score.records}, runs);
}

}  // namespace maskrt::kernels
