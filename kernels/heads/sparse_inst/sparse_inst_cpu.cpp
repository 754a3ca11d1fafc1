// Instances, one a thread at a time: probabilities and their sums in one pass over the map, then bits.
#include <omp.h>

#include <algorithm>
#include <optional>

#include "kernels/cpu/exponential.h"
#include "kernels/cpu/parallel_failure.h"
#include "kernels/cpu/rows.h"
#include "kernels/masks/mask_sampler.h"
#include "selection.h"
#include "sparse_inst.h"

namespace maskrt::kernels {
namespace {

struct Above {
  float sum = 0;
  std::int32_t count = 0;
};

/// One row of logits, `step` apart, to probabilities; the sum and number of those above the threshold.
MASKRT_CLONES Above probabilities(const float* logits, std::int64_t step, int width, float threshold, float* out) {
  if (step == 1) {
    for (int x = 0; x < width; ++x) out[x] = logistic(logits[x]);
  } else {
    for (int x = 0; x < width; ++x) out[x] = logits[x * step];
    for (int x = 0; x < width; ++x) out[x] = logistic(out[x]);
  }
  // Lanes of our own: the compiler may not reorder a float sum, and the order decides the bits.
  constexpr int lanes = 16;
  float sums[lanes] = {};
  std::int32_t counts[lanes] = {};
  int x = 0;
  for (; x + lanes <= width; x += lanes) {
    for (int i = 0; i < lanes; ++i) {
      const bool is_above = out[x + i] > threshold;
      sums[i] += is_above ? out[x + i] : 0.0f;
      counts[i] += is_above ? 1 : 0;
    }
  }
  Above above;
  for (int i = 0; i < lanes; ++i) {
    above.sum += sums[i];
    above.count += counts[i];
  }
  for (; x < width; ++x) {
    if (!(out[x] > threshold)) continue;
    above.sum += out[x];
    ++above.count;
  }
  return above;
}

/// What one thread works in, made before the threads start.
struct Workspace {
  std::vector<float> map;
  MaskSampler::Scratch scratch;
};

/// False where the final score is below the minimum.
bool finish(const Tensor& mask_logits, std::int64_t b, const SparseInstSettings& settings, const MaskSampler* sampler,
            Workspace& workspace, DetectedInstance& instance) {
  const int width = static_cast<int>(mask_logits.width), height = static_cast<int>(mask_logits.height);
  const std::size_t stride = MaskSampler::map_stride(width);
  double sum = 0;
  std::int64_t count = 0;
  for (int y = 0; y < height; ++y) {
    const Above above =
        probabilities(mask_logits.as<float>() + mask_logits.index(b, y, 0, instance.query), mask_logits.pixel_stride,
                      width, settings.mask_threshold, workspace.map.data() + y * stride);
    sum += above.sum;
    count += above.count;
  }
  instance.score = rescored(instance.score, sum, count);
  if (instance.score < settings.minimum_score) return false;
  if (sampler != nullptr) sampler->sample(workspace.map.data(), workspace.scratch, instance);
  return true;
}

}  // namespace

std::vector<DetectedInstance> sparse_inst_cpu(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const SparseInstSettings& settings) {
  const auto candidates = select_candidates(class_logits, objectness_logits, b, settings.score_threshold);
  const int count = static_cast<int>(candidates.size());
  std::vector<DetectedInstance> instances(candidates.size());
  std::vector<std::uint8_t> kept(candidates.size());
  std::optional<MaskSampler> sampler;
  if (settings.masks && count > 0) {
    sampler.emplace(static_cast<int>(mask_logits.width), static_cast<int>(mask_logits.height), geometry,
                    settings.mask_threshold);
  }
  std::vector<Workspace> workspaces(static_cast<std::size_t>(std::max(1, std::min(omp_get_max_threads(), count))));
  for (Workspace& workspace : workspaces) {
    workspace.map.resize(MaskSampler::map_stride(mask_logits.width) * static_cast<std::size_t>(mask_logits.height));
    if (sampler) workspace.scratch = sampler->make_scratch();
  }
  ParallelFailure failure;
#pragma omp parallel for schedule(dynamic) num_threads(static_cast <int>(workspaces.size()))
  for (int i = 0; i < count; ++i) {
    failure.guard([&] {
      const Candidate& candidate = candidates[static_cast<std::size_t>(i)];
      DetectedInstance& instance = instances[static_cast<std::size_t>(i)];
      instance.query = candidate.query;
      instance.class_id = candidate.class_id;
      instance.score = candidate.score;
      Workspace& workspace = workspaces[static_cast<std::size_t>(omp_get_thread_num())];
      kept[static_cast<std::size_t>(i)] =
          finish(mask_logits, b, settings, sampler ? &*sampler : nullptr, workspace, instance);
    });
  }
  failure.rethrow();

  std::vector<DetectedInstance> found;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (kept[i] != 0) found.push_back(std::move(instances[i]));
  }
  return found;
}

}  // namespace maskrt::kernels
