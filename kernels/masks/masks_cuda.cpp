#include "masks_cuda.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "kernels/cuda/kernel_family.h"
#include "maskrt/types.hpp"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "masks/mask_words";
/// By the factor that the logits are resized by, less 1.
constexpr cuda::KernelFamily kMaskWords[] = {
    {"masks", "mask logits", {{{f32}, {kFile, "mask_words_f32_x1"}}, {{f16}, {kFile, "mask_words_f16_x1"}}}},
    {"masks", "mask logits", {{{f32}, {kFile, "mask_words_f32_x2"}}, {{f16}, {kFile, "mask_words_f16_x2"}}}}};
constexpr cuda::KernelFamily kMaskWordsOfLogits{
    "masks", "mask logits", {{{f32}, {kFile, "mask_words_logits_f32"}}, {{f16}, {kFile, "mask_words_logits_f16"}}}};

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

void check(const MaskPlan& plan) {
  if (plan.factor != 1 && plan.factor != 2)
    throw Error("masks: expected masks to be resized by 1 or 2, found " + std::to_string(plan.factor));
  if (plan.padded_width < plan.map_width() || plan.padded_height < plan.map_height())
    throw Error("masks: expected an input at least as large as its masks, " + std::to_string(plan.map_width()) + " x " +
                std::to_string(plan.map_height()) + ", found " + std::to_string(plan.padded_width) + " x " +
                std::to_string(plan.padded_height));
}

std::size_t mask_call_bytes(std::int64_t batch) {
  return sizeof(cuda::MaskCall) + static_cast<std::size_t>(batch) * sizeof(cuda::ImageGeometry);
}

void describe_mask_call(const MaskPlan& plan, std::span<const Geometry> images, const MaskRequest& request,
                        std::span<std::byte> call) {
  const std::int64_t batch = plan.logits.batch;
  if (static_cast<std::int64_t>(images.size()) != batch || call.size() < mask_call_bytes(batch))
    throw Error("masks: expected " + std::to_string(batch) + " images and " + std::to_string(mask_call_bytes(batch)) +
                " bytes for the call, found " + std::to_string(images.size()) + " and " + std::to_string(call.size()));
  // Weights add up to 1 within a few roundings: blending moves what lies on one side of the threshold by less.
  constexpr float margin = 1e-5f;
  cuda::MaskCall described{};
  described.words = request.buffers.words;
  described.runs = request.buffers.runs;
  described.word_capacity = request.buffers.word_capacity;
  described.run_capacity = request.buffers.run_capacity;
  described.mask_threshold = plan.threshold;
  described.minimum_score = request.minimum_score;
  described.masks = request.masks ? 1 : 0;
  described.below_probability = plan.threshold - margin;
  described.above_probability = plan.threshold + margin;
  // Twice the margin: the probability's own rounding is beyond it.
  described.below_logit = logit(static_cast<double>(plan.threshold) - 2 * margin);
  described.above_logit = logit(static_cast<double>(plan.threshold) + 2 * margin);
  std::memcpy(call.data(), &described, sizeof described);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Geometry& g = images[i];
    if (g.original_width < 1 || g.original_height < 1 || g.resized_width < 1 || g.resized_height < 1 ||
        g.padded_width != plan.padded_width || g.padded_height != plan.padded_height)
      throw Error("masks: expected image " + std::to_string(i) + " to have pixels and an input of " +
                  std::to_string(plan.padded_width) + " x " + std::to_string(plan.padded_height) + ", found " +
                  std::to_string(g.original_width) + " x " + std::to_string(g.original_height) + ", resized to " +
                  std::to_string(g.resized_width) + " x " + std::to_string(g.resized_height) + ", in " +
                  std::to_string(g.padded_width) + " x " + std::to_string(g.padded_height));
    if (request.buffers.runs != nullptr && std::int64_t{g.original_width} * g.original_height > 0xffffffff)
      throw Error("masks: expected fewer than 2^32 pixels for run lengths, found " + std::to_string(g.original_width) +
                  " x " + std::to_string(g.original_height));
    const cuda::ImageGeometry image{axis(plan.map_width(), g.padded_width, g.resized_width, g.original_width),
                                    axis(plan.map_height(), g.padded_height, g.resized_height, g.original_height)};
    std::memcpy(call.data() + sizeof described + i * sizeof image, &image, sizeof image);
  }
}

std::uint64_t most_mask_words(std::int64_t queries, std::span<const Geometry> images) {
  std::uint64_t words = 0;
  constexpr std::uint64_t sector = cuda::kMaskWordsPerSector;
  for (const Geometry& g : images) {
    const std::uint64_t column = (static_cast<std::uint64_t>(g.original_height) + 63) / 64;
    words += (static_cast<std::uint64_t>(g.original_width) * column + sector - 1) / sector * sector;
  }
  return words * static_cast<std::uint64_t>(queries);
}

void masks_cuda(CudaQueue& queue, const MaskPlan& plan, const PlacedMasks& placed, bool runs) {
  const auto queries = static_cast<std::int32_t>(plan.logits.channels);
  const cuda::MaskWordsParams words{placed.call,
                                    placed.planar,
                                    placed.header,
                                    placed.jobs,
                                    placed.records,
                                    placed.inside,
                                    queries,
                                    static_cast<std::int32_t>(plan.map_width()),
                                    static_cast<std::int32_t>(plan.map_height())};
  if (placed.inside != nullptr && plan.factor != 1)
    throw Error("masks: expected logits that are blended not to be resized before, found a factor of " +
                std::to_string(plan.factor));
  const cuda::KernelFamily& family = placed.inside != nullptr ? kMaskWordsOfLogits : kMaskWords[plan.factor - 1];
  KernelLaunch launch{.kernel = family.of({plan.logits.type}),
                      .grid = {},
                      .block = {cuda::kMaskThreads},
                      .overlaps_previous = true,
                      .parameters = bytes_of(words)};
  launch.grid.x = static_cast<std::uint32_t>(std::max(1, queue.resident_blocks(launch)));
  queue.launch(launch);

  if (!runs) return;
  const cuda::MaskRunsParams run_params{placed.call, placed.header, placed.jobs.jobs, placed.records, queries};
  queue.launch({.kernel = {"masks/mask_runs", "mask_runs"},
                .grid = {static_cast<std::uint32_t>(std::max(1, queue.chip().multiprocessors))},
                .block = {cuda::kRunThreads},
                .overlaps_previous = true,
                .parameters = bytes_of(run_params)});
}

}  // namespace maskrt::kernels
