#include "head_runner.h"

#include <utility>

#include "kernels/heads/fast_inst/fast_inst.h"
#include "kernels/heads/sparse_inst/sparse_inst.h"
#include "runtime/panoptic_map.h"

namespace maskrt::cpu {
namespace {

class SparseInstRunner final : public HeadRunner {
 public:
  SparseInstRunner(const graph::SparseInstHead& head, const Program& program, const Addresses& addresses)
      : head_(head),
        classes_(bound(program.head_values.at(head.class_logits), addresses)),
        objectness_(bound(program.head_values.at(head.objectness_logits), addresses)),
        masks_(bound(program.head_values.at(head.mask_logits), addresses)) {
    if (head.mask_factor != 1)
      throw Error(
          "cpu: expected a head that reads masks as large as their probabilities, found one that resizes them by " +
          std::to_string(head.mask_factor));
  }

  std::vector<Detected> run(std::span<const ImageToProcess> images, const DetectionOptions& options) const override {
    const kernels::SparseInstSettings settings{head_.score_threshold, head_.mask_threshold, options.minimum_score,
                                               options.masks};
    std::vector<Detected> found;
    for (std::size_t b = 0; b < images.size(); ++b)
      found.push_back(kernels::sparse_inst_cpu(classes_, objectness_, masks_, static_cast<std::int64_t>(b),
                                               images[b].geometry, settings));
    return found;
  }

 private:
  graph::SparseInstHead head_;
  kernels::Tensor classes_, objectness_, masks_;
};

class FastInstRunner final : public HeadRunner {
 public:
  FastInstRunner(const graph::FastInstHead& head, const Program& program, const Addresses& addresses)
      : head_(head),
        classes_(bound(program.head_values.at(head.class_logits), addresses)),
        masks_(bound(program.head_values.at(head.mask_logits), addresses)) {}

  std::vector<Detected> run(std::span<const ImageToProcess> images, const DetectionOptions& options) const override {
    std::vector<Detected> found;
    for (std::size_t b = 0; b < images.size(); ++b)
      found.push_back(run({classes_, masks_, static_cast<std::int64_t>(b)}, images[b].geometry, options));
    return found;
  }

 private:
  Detected run(const kernels::FastInstLogits& logits, const kernels::Geometry& geometry,
               const DetectionOptions& options) const {
    const kernels::FastInstSettings settings{head_.detections,
                                             head_.object_mask_threshold,
                                             head_.overlap_threshold,
                                             head_.resize_before_semantic,
                                             head_.things,
                                             head_.panoptic,
                                             options.minimum_score,
                                             options.masks};
    switch (options.task) {
      case Task::instances:
        return kernels::fast_inst_instances_cpu(logits, geometry, settings);
      case Task::semantic:
        return SemanticMap{geometry.original_width, geometry.original_height,
                           kernels::fast_inst_classes_cpu(logits, geometry, settings)};
      case Task::panoptic:
        break;
    }
    kernels::FastInstSegments segments = kernels::fast_inst_segments_cpu(logits, geometry, settings);
    return panoptic_map(geometry, std::move(segments.ids), segments.segments);
  }

  graph::FastInstHead head_;
  kernels::Tensor classes_, masks_;
};

std::unique_ptr<HeadRunner> make(const graph::ValuesHead&, const Program&, const Addresses&) { return nullptr; }

std::unique_ptr<HeadRunner> make(const graph::SparseInstHead& head, const Program& program,
                                 const Addresses& addresses) {
  return std::make_unique<SparseInstRunner>(head, program, addresses);
}

std::unique_ptr<HeadRunner> make(const graph::FastInstHead& head, const Program& program, const Addresses& addresses) {
  return std::make_unique<FastInstRunner>(head, program, addresses);
}

}  // namespace

std::unique_ptr<HeadRunner> make_head_runner(const Program& program, const Addresses& addresses) {
  return std::visit([&](const auto& head) { return make(head, program, addresses); }, program.head);
}

}  // namespace maskrt::cpu
