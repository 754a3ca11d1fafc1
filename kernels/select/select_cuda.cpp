#include "select_cuda.h"

#include <string>

#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "select_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "select/select";
constexpr cuda::KernelFamily kBestClass{
    "best class", "logits", {{{f32}, {kFile, "best_class_f32"}}, {{f16}, {kFile, "best_class_f16"}}}};
constexpr cuda::KernelFamily kProposalScores{"proposal scores", "scores", {{{f32}, {kFile, "proposal_scores"}}}};
constexpr cuda::KernelFamily kSelectTop{
    "select top",
    "input, positions, scores",
    {{{f32, i32, f32}, {kFile, "select_top_f32"}}, {{f16, i32, f32}, {kFile, "select_top_f16"}}}};
constexpr cuda::KernelFamily kGatherPositions{
    "gather",
    "input, positions, output",
    {{{f32, i32, f32}, {kFile, "gather_positions_f32"}}, {{f16, i32, f32}, {kFile, "gather_positions_f16"}}}};

constexpr std::uint32_t kMostImages = 65535;  // in the third dimension of a grid

std::string shape_of(const Tensor& t) { return to_string(Shape{t.batch, t.height, t.width, t.channels}); }

void require_shape(const Tensor& t, const char* what, const Shape& want) {
  if (Shape{t.batch, t.height, t.width, t.channels} != want)
    throw Error(std::string(what) + ": expected " + to_string(want) + ", found " + shape_of(t));
}

void require_positions(const Tensor& map, const char* what) {
  if (map.height * map.width > kMostPositions || map.batch > kMostImages)
    throw Error(std::string(what) + ": expected at most " + std::to_string(kMostImages) + " images of " +
                std::to_string(kMostPositions) + " positions, found " + shape_of(map));
}

cuda::Positions positions_of(const Tensor& t) {
  return {t.as<std::int32_t>(), t.batch_stride, static_cast<std::int32_t>(t.pixel_stride)};
}

}  // namespace

std::size_t proposal_scores_workspace_bytes(const Tensor& logits) {
  return static_cast<std::size_t>(logits.batch * logits.height * logits.width) * sizeof(BestClass);
}

void proposal_scores_cuda(CudaQueue& queue, const Tensor& logits, float epsilon, void* workspace,
                          const Tensor& scores) {
  const KernelName best_class = kBestClass.of({logits.type}), neighbours = kProposalScores.of({scores.type});
  require_positions(logits, "proposal scores: logits");
  if (logits.channels < 2)
    throw Error("proposal scores: expected logits of a class and of none at least, found " + shape_of(logits));
  const std::int64_t positions = logits.height * logits.width;
  require_shape(scores, "proposal scores: scores", {logits.batch, positions, 1, 1});
  auto* const best = static_cast<BestClass*>(workspace);

  constexpr std::uint32_t threads = 256, positions_of_block = threads / cuda::kBestClassLanes;
  const cuda::BestClassParams first{cuda::map_of(logits, "proposal scores: logits"), best};
  queue.launch({.kernel = best_class,
                .grid = {static_cast<std::uint32_t>((positions + positions_of_block - 1) / positions_of_block), 1,
                         static_cast<std::uint32_t>(logits.batch)},
                .block = {threads, 1, 1},
                .overlaps_previous = true,
                .parameters = bytes_of(first)});
  const cuda::ProposalScoresParams second{best, cuda::list_of(scores, "proposal scores: scores"), first.logits.height,
                                          first.logits.width, epsilon};
  queue.launch({.kernel = neighbours,
                .grid = {static_cast<std::uint32_t>((positions + threads - 1) / threads), 1,
                         static_cast<std::uint32_t>(logits.batch)},
                .block = {threads, 1, 1},
                .overlaps_previous = true,
                .parameters = bytes_of(second)});
}

void select_top_cuda(CudaQueue& queue, const Tensor& in, const Tensor& positions, const Tensor& scores) {
  const KernelName kernel = kSelectTop.of({in.type, positions.type, scores.type});
  require_positions(in, "select top: input");
  const std::int64_t count = positions.height;
  require_shape(in, "select top: input", {in.batch, in.height, in.width, 1});
  require_shape(positions, "select top: positions", {in.batch, count, 1, 1});
  require_shape(scores, "select top: scores", {in.batch, count, 1, 1});
  if (count < 1 || count > kMostSelected || count > in.height * in.width)
    throw Error("select top: expected from 1 to " + std::to_string(kMostSelected) + " of the input's " +
                std::to_string(in.height * in.width) + " positions, found " + std::to_string(count));
  const cuda::SelectTopParams params{cuda::map_of(in, "select top: input"), positions_of(positions),
                                     cuda::list_of(scores, "select top: scores"), static_cast<std::int32_t>(count)};
  queue.launch({.kernel = kernel,
                .grid = {static_cast<std::uint32_t>(in.batch), 1, 1},
                .block = {1024, 1, 1},
                .overlaps_previous = true,
                .parameters = bytes_of(params)});
}

void gather_positions_cuda(CudaQueue& queue, const Tensor& in, const Tensor& positions, const Tensor& out) {
  const KernelName kernel = kGatherPositions.of({in.type, positions.type, out.type});
  require_positions(in, "gather: input");
  require_shape(out, "gather: output", {in.batch, positions.height, 1, in.channels});
  require_shape(positions, "gather: positions", {in.batch, positions.height, 1, 1});
  const cuda::GatherPositionsParams params{cuda::map_of(in, "gather: input"), positions_of(positions),
                                           cuda::list_of(out, "gather: output")};
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.height, out.batch);
  queue.launch(
      {.kernel = kernel, .grid = g.grid, .block = g.block, .overlaps_previous = true, .parameters = bytes_of(params)});
}

}  // namespace maskrt::kernels
