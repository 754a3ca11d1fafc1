// The block of instances that a head writes, by its public names.
#pragma once

#include <cstddef>

#include "kernels/masks/instance_block.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::cuda {

static_assert(sizeof(DeviceCounts) == sizeof(kernels::cuda::InstanceHeader));
static_assert(offsetof(DeviceCounts, instances) == offsetof(kernels::cuda::InstanceHeader, instances));
static_assert(offsetof(DeviceCounts, words) == offsetof(kernels::cuda::InstanceHeader, words));
static_assert(offsetof(DeviceCounts, runs) == offsetof(kernels::cuda::InstanceHeader, runs));

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
inline DeviceResults device_results(const kernels::InstanceBlock& layout, const std::byte* block) {
  DeviceResults results;
  results.images = static_cast<std::size_t>(layout.batch);
  results.most_instances = results.images * static_cast<std::size_t>(layout.queries);
  results.counts = reinterpret_cast<const DeviceCounts*>(block);
  results.instances = reinterpret_cast<const DeviceInstance*>(block + sizeof(DeviceCounts));
  results.first_instance = reinterpret_cast<const std::uint32_t*>(block + layout.first_of_image_offset());
  return results;
}

}  // namespace maskrt::cuda
