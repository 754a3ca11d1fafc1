// COCO annotations, scored by masks and by boxes against detections that are the annotations themselves.
#include "evaluate_both.h"
#include "memory_file.h"

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
    fuzz::evaluate_both(annotations, results);
  });
  // What one kind of score does not need is not checked, so more files can be read.
  for (const auto type : {coco::IouType::segm, coco::IouType::bbox}) {
    fuzz::answered([&] {
      const coco::Annotations annotations = coco::read_annotations(file.path(), type);
      coco::check_shapes(annotations, type);
      std::vector<coco::CocoResult> results;
      for (const coco::Annotation& annotation : annotations.annotations) {
        if (results.size() == 100) break;
        results.push_back({{}, annotation.image_id, annotation.category_id, {}, annotation.bbox, annotation.area, {}});
      }
      fuzz::evaluate_both(annotations, results);
    });
  }
  return 0;
}
