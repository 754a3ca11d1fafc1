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
  return 0;
}
