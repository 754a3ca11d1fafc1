// FastInst's head: Q queries, each with logits of K classes and of none, and a mask.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "graph/head.h"

namespace maskrt::graph {

/// For a batch of B:
///   class_logits     list [B, Q, K + 1], the last of none
///   mask_logits      map [B, h, w, Q]
///   query_positions  list [B, Q, 1] of integers: where the queries were selected. A caller who fixes them gives this
///                    value in place of what its node makes; everything after it follows.
/// What is found in them, docs/fastinst.md defines: instances, a class for each pixel, or segments.
struct FastInstHead {
  static constexpr std::string_view name = "FastInst";
  static constexpr int version = 1;

  ValueId class_logits = -1, mask_logits = -1, query_positions = -1;
  // What the config switches on: MODEL.FASTINST.TEST.*_ON. With panoptic segments, instances are of things alone.
  bool instances = true, semantic = false, panoptic = false;
  int detections = 100;                ///< DETECTIONS_PER_IMAGE: pairs of query and class that become instances
  float object_mask_threshold = 0.8f;  ///< on the probability of a query's class; segments have more
  float overlap_threshold = 0.8f;      ///< least share of a query's mask that other queries leave to its segment
  /// Probabilities of classes are summed at the image's own size (SEM_SEG_POSTPROCESSING_BEFORE_INFERENCE); else at the
  /// network's input, and resized then. Instances and segments always are at the image's own size, and switch this on.
  bool resize_before_semantic = false;
  /// Which classes are things, by class. The model's categories say so; no setting of the head.
  std::vector<bool> things = {};

  std::span<const Task> tasks() const {
    // All subsets of the tasks, in their order, as they stand next to one another in one array.
    static constexpr std::array order = {Task::instances, Task::semantic, Task::panoptic, Task::instances,
                                         Task::panoptic};
    const std::span all(order);
    if (instances && !semantic && panoptic) return all.subspan(3, 2);
    const std::size_t first = instances ? 0 : semantic ? 1 : 2, last = panoptic ? 3 : semantic ? 2 : 1;
    return first < last ? all.subspan(first, last - first) : all.first(0);
  }
  static void visit_values(auto& self, auto&& visit) {
    visit.value("class_logits", self.class_logits);
    visit.value("mask_logits", self.mask_logits);
    visit.value("query_positions", self.query_positions);
  }
  static void visit_settings(auto& self, auto&& visit) {
    visit.boolean("instances", self.instances);
    visit.boolean("semantic", self.semantic);
    visit.boolean("panoptic", self.panoptic);
    visit.integer("detections", self.detections, 1, 1 << 20);
    visit.real("object_mask_threshold", self.object_mask_threshold, 0, 1);
    visit.real("overlap_threshold", self.overlap_threshold, 0, 1);
    visit.boolean("resize_before_semantic", self.resize_before_semantic);
  }
  void check(const HeadValues& values) const {
    const std::string logits = "a list of the queries' logits of one class and of none at least";
    const Extent& classes = values.list("class_logits", class_logits, logits);
    values.expect(classes.channels >= 2, "class_logits", class_logits, logits);
    const std::string queries = "for each of the " + std::to_string(classes.height) + " queries of class_logits";
    const std::string one_channel = "a map with a channel " + queries,
                      one_position = "a list of one integer " + queries;
    const Extent& masks = values.map("mask_logits", mask_logits, one_channel);
    values.expect(masks.batch == classes.batch && masks.channels == classes.height, "mask_logits", mask_logits,
                  one_channel);
    const Extent& positions = values.list("query_positions", query_positions, one_position);
    values.expect(positions.batch == classes.batch && positions.height == classes.height && positions.channels == 1 &&
                      positions.element == Element::integer,
                  "query_positions", query_positions, one_position);
  }
  ValueId queries() const { return -1; }
  std::optional<std::int64_t> categories(const HeadValues& values) const {
    return values.of(class_logits).channels - 1;
  }
};

}  // namespace maskrt::graph
