// SparseInst's head: N queries, each with class logits, an objectness logit and a mask.
#pragma once

#include <array>

#include "graph/head.h"

namespace maskrt::graph {

/// For a batch of B:
///   class_logits       list [B, N, classes]
///   objectness_logits  list [B, N, 1]
///   mask_logits        map [B, h, w, N]
/// A query's score is sqrt(class * objectness), of its best class, times the mean of its mask's probabilities above the
/// mask threshold (docs/accuracy.md).
struct SparseInstHead {
  static constexpr std::string_view name = "SparseInst";
  static constexpr int version = 1;

  ValueId class_logits = -1, objectness_logits = -1, mask_logits = -1;
  float score_threshold = 0.005f;  ///< CLS_THRESHOLD, on sqrt(class * objectness); kept if greater
  float mask_threshold = 0.45f;    ///< MASK_THRESHOLD, on the mask's probabilities
  /// The probabilities' map is this much larger than mask_logits, resized bilinearly by the head itself. The rewrite
  /// "resize-masks-late" sets it; a model file does not have it.
  int mask_factor = 1;

  std::span<const Task> tasks() const {
    static constexpr std::array all = {Task::instances};
    return all;
  }
  static void visit_values(auto& self, auto&& visit) {
    visit.value("class_logits", self.class_logits);
    visit.value("objectness_logits", self.objectness_logits);
    visit.value("mask_logits", self.mask_logits);
  }
  static void visit_settings(auto& self, auto&& visit) {
    visit.real("score_threshold", self.score_threshold, 0, 1);
    visit.real("mask_threshold", self.mask_threshold, 0, 1);
  }
  void check(const HeadValues& values) const {
    const Extent& classes = values.list("class_logits", class_logits, "a list of the queries' class logits");
    const std::string queries = "for each of the " + std::to_string(classes.height) + " queries of class_logits";
    const std::string one_number = "a list with one number " + queries, one_channel = "a map with a channel " + queries;
    const Extent& objectness = values.list("objectness_logits", objectness_logits, one_number);
    values.expect(objectness.batch == classes.batch && objectness.height == classes.height && objectness.channels == 1,
                  "objectness_logits", objectness_logits, one_number);
    const Extent& masks = values.map("mask_logits", mask_logits, one_channel);
    values.expect(masks.batch == classes.batch && masks.channels == classes.height, "mask_logits", mask_logits,
                  one_channel);
  }
  ValueId queries() const { return class_logits; }
  std::optional<std::int64_t> categories(const HeadValues& values) const { return values.of(class_logits).channels; }
};

}  // namespace maskrt::graph
