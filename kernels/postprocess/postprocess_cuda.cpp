#include "postprocess_cuda.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

constexpr std::size_t kAlignment = 256;
// What a block has without opting in, less what the kernel declares.
constexpr std::size_t kMostShared = 46 * 1024;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

void check_plan(const PostprocessPlan& plan) {
  const Tensor& c = plan.class_logits;
  const Tensor& o = plan.objectness_logits;
  const Tensor& m = plan.mask_logits;
  const Shape found{o.batch, o.height, o.channels, m.batch, m.channels}, want{c.batch, c.height, 1, c.batch, c.height};
  if (found != want)
    throw Error("post-processing: expected batch and queries of objectness and masks as the class logits have them " +
                to_string(want) + ", found " + to_string(found));
  if (plan.factor != 1 && plan.factor != 2)
    throw Error("post-processing: expected masks to be resized by 1 or 2, found " + std::to_string(plan.factor));
  if (plan.padded_width < m.width * plan.factor || plan.padded_height < m.height * plan.factor)
    throw Error("post-processing: expected an input at least as large as its masks, " +
                std::to_string(m.width * plan.factor) + " x " + std::to_string(m.height * plan.factor) + ", found " +
                std::to_string(plan.padded_width) + " x " + std::to_string(plan.padded_height));
}

/// Where the parts of the workspace begin.
struct WorkspaceLayout {
  explicit WorkspaceLayout(const PostprocessPlan& plan) {
    const Tensor& m = plan.mask_logits;
    const auto bytes = static_cast<std::int64_t>(size_of(m.type));
    pitch = (m.width * bytes + 31) / 32 * 32 / bytes;
    constexpr std::int64_t sector = cuda::kQueriesPerSector;
    tally_stride = (m.channels + sector - 1) / sector * sector;
    const auto instances = static_cast<std::size_t>(m.batch * m.channels);
    planar = tallies + aligned(static_cast<std::size_t>(m.batch * tally_stride) * cuda::QueryTallies::bytes_of_one);
    jobs = planar + aligned(static_cast<std::size_t>(m.batch * m.channels * m.height * pitch * bytes));
    first_tiles = jobs + aligned(instances * sizeof(cuda::MaskJob));
    end = first_tiles + aligned(instances * sizeof(std::uint32_t));
  }
  static constexpr std::size_t tallies = kAlignment;  // behind the count of blocks that are done
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

cuda::AxisGeometry axis(std::int64_t map, int padded, int resized, int original) {
  return {resized, original, static_cast<float>(map) / static_cast<float>(padded),
          static_cast<float>(resized) / static_cast<float>(original)};
}

/// The logit of a probability, infinite where there is none.
float logit(double probability) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (probability <= 0) return -infinity;
  if (probability >= 1) return infinity;
  return static_cast<float>(std::log(probability / (1 - probability)));
}

}  // namespace

std::size_t postprocess_workspace_bytes(const PostprocessPlan& plan) {
  check_plan(plan);
  return WorkspaceLayout(plan).end;
}

void clear_postprocess_workspace(CudaQueue& queue, const PostprocessPlan& plan, std::byte* workspace) {
  queue.set_bytes(workspace, 0, WorkspaceLayout(plan).planar);
}

std::size_t postprocess_call_bytes(std::int64_t batch) {
  return sizeof(cuda::PostprocessCall) + static_cast<std::size_t>(batch) * sizeof(cuda::ImageGeometry);
}

void describe_postprocess_call(const PostprocessPlan& plan, std::span<const Geometry> images,
                               const PostprocessSettings& settings, const MaskBuffers& buffers,
                               std::span<std::byte> call) {
  check_plan(plan);
  const auto batch = static_cast<std::size_t>(plan.class_logits.batch);
  if (images.size() != batch || call.size() < postprocess_call_bytes(plan.class_logits.batch))
    throw Error("post-processing: expected " + std::to_string(batch) + " images and " +
                std::to_string(postprocess_call_bytes(plan.class_logits.batch)) + " bytes for the call, found " +
                std::to_string(images.size()) + " and " + std::to_string(call.size()));
  // Weights add up to 1 within a few roundings: blending moves what lies on one side of the threshold by less.
  constexpr float margin = 1e-5f;
  cuda::PostprocessCall described{};
  described.words = buffers.words;
  described.runs = buffers.runs;
  described.word_capacity = buffers.word_capacity;
  described.run_capacity = buffers.run_capacity;
  described.score_threshold = settings.score_threshold;
  described.mask_threshold = settings.mask_threshold;
  described.minimum_score = settings.minimum_score;
  described.masks = settings.masks ? 1 : 0;
  described.below_probability = settings.mask_threshold - margin;
  described.above_probability = settings.mask_threshold + margin;
  // Twice the margin: the probability's own rounding is beyond it.
  described.below_logit = logit(static_cast<double>(settings.mask_threshold) - 2 * margin);
  described.above_logit = logit(static_cast<double>(settings.mask_threshold) + 2 * margin);
  std::memcpy(call.data(), &described, sizeof described);
  const Tensor& m = plan.mask_logits;
  for (std::size_t i = 0; i < batch; ++i) {
    const Geometry& g = images[i];
    if (g.original_width < 1 || g.original_height < 1 || g.resized_width < 1 || g.resized_height < 1 ||
        g.padded_width != plan.padded_width || g.padded_height != plan.padded_height)
      throw Error("post-processing: expected image " + std::to_string(i) + " to have pixels and an input of " +
                  std::to_string(plan.padded_width) + " x " + std::to_string(plan.padded_height) + ", found " +
                  std::to_string(g.original_width) + " x " + std::to_string(g.original_height) + ", resized to " +
                  std::to_string(g.resized_width) + " x " + std::to_string(g.resized_height) + ", in " +
                  std::to_string(g.padded_width) + " x " + std::to_string(g.padded_height));
    if (buffers.runs != nullptr && std::int64_t{g.original_width} * g.original_height > 0xffffffff)
      throw Error("post-processing: expected fewer than 2^32 pixels for run lengths, found " +
                  std::to_string(g.original_width) + " x " + std::to_string(g.original_height));
    const cuda::ImageGeometry image{axis(m.width * plan.factor, g.padded_width, g.resized_width, g.original_width),
                                    axis(m.height * plan.factor, g.padded_height, g.resized_height, g.original_height)};
    std::memcpy(call.data() + sizeof described + i * sizeof image, &image, sizeof image);
  }
}

std::size_t first_of_image_offset(const PostprocessPlan& plan) {
  return sizeof(cuda::PostprocessHeader) +
         static_cast<std::size_t>(plan.class_logits.batch * plan.class_logits.height) * sizeof(cuda::InstanceRecord);
}

std::size_t postprocess_result_bytes(const PostprocessPlan& plan) {
  return first_of_image_offset(plan) + static_cast<std::size_t>(plan.class_logits.batch + 1) * sizeof(std::uint32_t);
}

std::uint64_t most_mask_words(const PostprocessPlan& plan, std::span<const Geometry> images) {
  std::uint64_t words = 0;
  constexpr std::uint64_t sector = cuda::kMaskWordsPerSector;
  for (const Geometry& g : images) {
    const std::uint64_t column = (static_cast<std::uint64_t>(g.original_height) + 63) / 64;
    words += (static_cast<std::uint64_t>(g.original_width) * column + sector - 1) / sector * sector;
  }
  return words * static_cast<std::uint64_t>(plan.class_logits.height);
}

void postprocess_cuda(CudaQueue& queue, const PostprocessPlan& plan, const std::byte* call, std::byte* workspace,
                      std::byte* result, bool runs) {
  check_plan(plan);
  const Tensor& m = plan.mask_logits;
  const WorkspaceLayout layout(plan);
  auto* header = reinterpret_cast<cuda::PostprocessHeader*>(result);

  cuda::ScoreParams score{};
  score.class_logits = cuda::list_of(plan.class_logits, "post-processing: class logits");
  score.objectness = cuda::list_of(plan.objectness_logits, "post-processing: objectness logits");
  score.mask_logits = cuda::map_of(m, "post-processing: mask logits");
  score.call = reinterpret_cast<const cuda::PostprocessCall*>(call);
  score.planar = {workspace + layout.planar, score.mask_logits.height, score.mask_logits.width,
                  static_cast<std::int32_t>(layout.pitch)};
  score.tallies = tallies_at(workspace + WorkspaceLayout::tallies, m.batch, layout.tally_stride);
  score.jobs = {reinterpret_cast<cuda::MaskJob*>(workspace + layout.jobs),
                reinterpret_cast<std::uint32_t*>(workspace + layout.first_tiles)};
  score.blocks_done = reinterpret_cast<std::uint32_t*>(workspace);
  score.header = header;
  score.records = reinterpret_cast<cuda::InstanceRecord*>(result + sizeof *header);
  score.first_of_image = reinterpret_cast<std::uint32_t*>(result + first_of_image_offset(plan));
  score.batch = static_cast<std::int32_t>(m.batch);
  score.map_width = static_cast<std::int32_t>(m.width * plan.factor);
  score.map_height = static_cast<std::int32_t>(m.height * plan.factor);
  score.tiles_across = (score.map_width + cuda::kScoreTileWidth - 1) / cuda::kScoreTileWidth;
  score.tiles = score.tiles_across * ((score.map_height + cuda::kScoreTileHeight - 1) / cuda::kScoreTileHeight);
  choose_chunk(plan.factor, m.channels, size_of(m.type), score);
  const int variant = (m.type == DataType::f32 ? 0 : 2) + plan.factor - 1;
  constexpr const char* score_kernels[] = {"score_queries_f32_x1", "score_queries_f32_x2", "score_queries_f16_x1",
                                           "score_queries_f16_x2"};
  queue.launch({.kernel = {"postprocess/score_queries", score_kernels[variant]},
                .grid = {static_cast<std::uint32_t>(score.tiles),
                         static_cast<std::uint32_t>((m.channels + score.chunk - 1) / score.chunk),
                         static_cast<std::uint32_t>(m.batch)},
                .block = {cuda::kScoreThreads},
                .shared_bytes = shared_bytes(plan.factor, score),
                .overlaps_previous = true,
                .parameters = bytes_of(score)});

  const cuda::MaskWordsParams words{score.call,      score.planar,    header,
                                    score.jobs,      score.records,   static_cast<std::int32_t>(m.channels),
                                    score.map_width, score.map_height};
  constexpr const char* word_kernels[] = {"mask_words_f32_x1", "mask_words_f32_x2", "mask_words_f16_x1",
                                          "mask_words_f16_x2"};
  KernelLaunch launch{.kernel = {"postprocess/mask_words", word_kernels[variant]},
                      .grid = {},
                      .block = {cuda::kMaskThreads},
                      .overlaps_previous = true,
                      .parameters = bytes_of(words)};
  launch.grid.x = static_cast<std::uint32_t>(std::max(1, queue.resident_blocks(launch)));
  queue.launch(launch);

  if (!runs) return;
  const cuda::MaskRunsParams run_params{score.call, header, score.jobs.jobs, score.records,
                                        static_cast<std::int32_t>(m.channels)};
  queue.launch({.kernel = {"postprocess/mask_runs", "mask_runs"},
                .grid = {static_cast<std::uint32_t>(std::max(1, queue.chip().multiprocessors))},
                .block = {cuda::kRunThreads},
                .overlaps_previous = true,
                .parameters = bytes_of(run_params)});
}

}  // namespace maskrt::kernels
