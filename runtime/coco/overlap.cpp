#include "overlap.h"

#include "segmentation.h"

namespace maskrt::coco {
namespace {

const Rle& mask_of(const CocoResult& result) {
  if (!result.outlines.empty()) throw Error("expected a bbox or a mask of runs, found outlines alone");
  if (!result.segmentation) throw Error("expected a segmentation, found none");
  return *result.segmentation;
}

rle::Runs runs_of(const CocoResult& result, const ImageEntry& image) {
  return result.outlines.empty() ? to_runs(mask_of(result), image) : to_runs(result.outlines, image);
}

/// Where the annotations state no size for an image, its masks must agree.
void check_same_size(const rle::Runs& runs, const rle::Runs& other, const ImageEntry& image) {
  if (runs.height == other.height && runs.width == other.width) return;
  const auto text = [](const rle::Runs& mask) {
    return std::to_string(mask.height) + "x" + std::to_string(mask.width);
  };
  throw Error("expected a mask of " + text(other) + " (height x width) as others of image " + image.id.described() +
              " are, found " + text(runs));
}

std::vector<std::uint8_t> crowds(std::span<const Annotation* const> truths) {
  std::vector<std::uint8_t> crowds;
  for (const Annotation* truth : truths) crowds.push_back(truth->crowd ? 1 : 0);
  return crowds;
}

}  // namespace

OverlapMeasure::OverlapMeasure(const Annotations& annotations, std::span<const CocoResult> results,
                               const EvaluationOptions& options)
    : annotations_(annotations), results_(results), options_(options) {}

Overlap OverlapMeasure::measure(const ImageEntry& image, std::span<const Annotation* const> truths,
                                std::span<const CocoResult* const> detections) const {
  return options_.iou_type == IouType::segm ? of_masks(image, truths, detections) : of_boxes(truths, detections);
}

Overlap OverlapMeasure::of_masks(const ImageEntry& image, std::span<const Annotation* const> truths,
                                 std::span<const CocoResult* const> detections) const {
  Overlap overlap;
  std::vector<rle::Runs> truth_masks, masks;
  truth_masks.reserve(truths.size());
  masks.reserve(detections.size());
  overlap.areas.reserve(detections.size());
  const auto checked = [&](const auto& owner, const auto& make_runs) {
    return located(owner, [&] {
      rle::Runs runs = make_runs();
      const auto& others = truth_masks.empty() ? masks : truth_masks;
      if (!others.empty()) check_same_size(runs, others.front(), image);
      return runs;
    });
  };
  for (const Annotation* truth : truths) {
    expect_shape(*truth);
    truth_masks.push_back(checked(*truth, [&] { return to_runs(truth->segmentation, image); }));
  }
  if (truths.empty()) {
    for (const CocoResult* detection : detections) overlap.areas.push_back(area_of(*detection, image));
    overlap.iou.detections = detections.size();
    return overlap;
  }
  for (const CocoResult* detection : detections) {
    masks.push_back(checked(*detection, [&] { return runs_of(*detection, image); }));
    overlap.areas.push_back(static_cast<double>(rle::area(masks.back())));
  }
  overlap.iou = rle::iou(masks, truth_masks, crowds(truths));
  return overlap;
}

double OverlapMeasure::area_of(const CocoResult& detection, const ImageEntry& image) const {
  return located(detection, [&] {
    if (!detection.outlines.empty()) return static_cast<double>(rle::area(runs_of(detection, image)));
    return static_cast<double>(area(mask_of(detection), image));
  });
}

Overlap OverlapMeasure::of_boxes(std::span<const Annotation* const> truths,
                                 std::span<const CocoResult* const> detections) const {
  // pycocotools looks at the first result to learn what all of them have.
  const bool have_boxes = !results_.empty() && results_.front().bbox.has_value();
  Overlap overlap;
  std::vector<rle::BoxXywh> truth_boxes, boxes;
  for (const Annotation* truth : truths) {
    expect_shape(*truth);
    truth_boxes.push_back(*truth->bbox);
  }
  for (const CocoResult* detection : detections) {
    if (have_boxes) {
      if (!detection->bbox) throw Error(where(*detection) + ": expected a bbox as the first result has, found none");
      boxes.push_back(*detection->bbox);
      overlap.areas.push_back(boxes.back()[2] * boxes.back()[3]);
      continue;
    }
    const rle::Runs runs = located(*detection, [&] {
      const Rle& mask = mask_of(*detection);
      return rle::from_string(mask.height, mask.width, mask.counts);
    });
    boxes.push_back(detection->bbox.value_or(rle::bounding_box(runs)));
    overlap.areas.push_back(static_cast<double>(rle::area(runs)));
  }
  overlap.iou = rle::iou(boxes, truth_boxes, crowds(truths));
  return overlap;
}

void OverlapMeasure::expect_shape(const Annotation& truth) const {
  const bool boxes = options_.iou_type == IouType::bbox;
  if (boxes ? truth.bbox.has_value() : !std::holds_alternative<std::monostate>(truth.segmentation)) return;
  throw Error(where(truth) + (boxes ? ": expected a bbox, which box AP needs, found none"
                                    : ": expected a segmentation, which mask AP needs, found none"));
}

std::string OverlapMeasure::where(const CocoResult& result) const {
  return options_.results_name + "[" + std::to_string(&result - results_.data()) + "]";
}

std::string OverlapMeasure::where(const Annotation& annotation) const {
  return annotations_.path.string() + ": annotation " + std::to_string(annotation.id);
}

}  // namespace maskrt::coco
