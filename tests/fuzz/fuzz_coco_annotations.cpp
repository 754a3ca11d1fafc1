// COCO annotations, scored by masks and by boxes against detections that are the annotations themselves.
#include "memory_file.h"
#include "runtime/coco/evaluate.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
  const fuzz::MemoryFile file({data, size});
  fuzz::answered([&] {
    const coco::Annotations annotations = coco::read_annotations(file.path());
    std::vector<coco::CocoResult> results;
    for (const coco::Annotation& annotation : annotations.annotations) {
      const auto* mask = std::get_if<Rle>(&annotation.segmentation);
      if (mask == nullptr || results.size() == 100) continue;
      results.push_back({{}, annotation.image_id, annotation.category_id, {}, annotation.bbox, 0.5, *mask});
    }
    for (const auto type : {coco::IouType::segm, coco::IouType::bbox}) {
      coco::EvaluationOptions options;
      options.iou_type = type;
      options.threads = 1;
      fuzz::answered([&] {
        for (const double metric : coco::evaluate(annotations, results, options).metrics)
          fuzz::require(metric == -1 || (metric >= 0 && metric <= 1), "a metric is -1 or from 0 to 1");
      });
    }
  });
  return 0;
}
