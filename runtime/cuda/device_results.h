// What post-processing writes, by its public names.
#pragma once

#include <cstddef>

#include "kernels/postprocess/postprocess_cuda.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::cuda {

static_assert(sizeof(DeviceCounts) == sizeof(kernels::cuda::PostprocessHeader));
static_assert(offsetof(DeviceCounts, instances) == offsetof(kernels::cuda::PostprocessHeader, instances));
static_assert(offsetof(DeviceCounts, words) == offsetof(kernels::cuda::PostprocessHeader, words));
static_assert(offsetof(DeviceCounts, runs) == offsetof(kernels::cuda::PostprocessHeader, runs));

static_assert(sizeof(DeviceInstance) == sizeof(kernels::cuda::InstanceRecord));
#define MASKRT_SAME_PLACE(name, in_kernels) \
  static_assert(offsetof(DeviceInstance, name) == offsetof(kernels::cuda::InstanceRecord, in_kernels));
MASKRT_SAME_PLACE(image, image)
MASKRT_SAME_PLACE(query, query)
MASKRT_SAME_PLACE(class_id, class_id)
MASKRT_SAME_PLACE(score, score)
MASKRT_SAME_PLACE(box_x, first_column)
MASKRT_SAME_PLACE(box_columns, columns)
MASKRT_SAME_PLACE(box_word, first_word)
MASKRT_SAME_PLACE(box_words, words)
MASKRT_SAME_PLACE(first_word, first_word_of)
MASKRT_SAME_PLACE(first_run, first_run)
MASKRT_SAME_PLACE(area, area)
MASKRT_SAME_PLACE(runs, runs)
MASKRT_SAME_PLACE(left, left)
MASKRT_SAME_PLACE(top, top)
MASKRT_SAME_PLACE(right, right)
MASKRT_SAME_PLACE(bottom, bottom)
#undef MASKRT_SAME_PLACE

/// The parts of a result block in device memory.
inline DeviceResults device_results(const kernels::PostprocessPlan& plan, const std::byte* block) {
  DeviceResults results;
  results.images = static_cast<std::size_t>(plan.class_logits.batch);
  results.most_instances = results.images * static_cast<std::size_t>(plan.class_logits.height);
  results.counts = reinterpret_cast<const DeviceCounts*>(block);
  results.instances = reinterpret_cast<const DeviceInstance*>(block + sizeof(DeviceCounts));
  results.first_instance = reinterpret_cast<const std::uint32_t*>(block + kernels::first_of_image_offset(plan));
  return results;
}

}  // namespace maskrt::cuda
