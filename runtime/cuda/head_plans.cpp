#include "head_plans.h"

namespace maskrt::cuda {

kernels::SparseInstPlan plan_of(const graph::SparseInstHead& head, const Program& program, const Addresses& addresses) {
  const auto value = [&](graph::ValueId id) { return bound(program.head_values.at(id), addresses); };
  kernels::SparseInstPlan plan;
  plan.class_logits = value(head.class_logits);
  plan.objectness_logits = value(head.objectness_logits);
  plan.score_threshold = head.score_threshold;
  plan.masks.logits = value(head.mask_logits);
  plan.masks.factor = head.mask_factor;
  plan.masks.padded_width = static_cast<int>(program.input.extent.width);
  plan.masks.padded_height = static_cast<int>(program.input.extent.height);
  plan.masks.threshold = head.mask_threshold;
  return plan;
}

kernels::FastInstPlan plan_of(const graph::FastInstHead& head, const Program& program, const Addresses& addresses,
                              const std::byte* things) {
  const auto value = [&](graph::ValueId id) { return bound(program.head_values.at(id), addresses); };
  kernels::FastInstPlan plan;
  plan.class_logits = value(head.class_logits);
  plan.mask_logits = value(head.mask_logits);
  plan.padded_width = static_cast<int>(program.input.extent.width);
  plan.padded_height = static_cast<int>(program.input.extent.height);
  plan.detections = head.detections;
  plan.object_mask_threshold = head.object_mask_threshold;
  plan.overlap_threshold = head.overlap_threshold;
  plan.resize_before_semantic = head.resize_before_semantic;
  plan.things = reinterpret_cast<const std::uint8_t*>(things);
  plan.things_alone = head.panoptic;
  return plan;
}

}  // namespace maskrt::cuda
