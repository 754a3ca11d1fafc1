// COCO results, scored against annotations that list their images and categories and repeat some of their masks.
#include <set>

#include "evaluate_both.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
  const fuzz::MemoryFile file({data, size});
  fuzz::answered([&] { coco::read_results(file.path(), coco::IouType::bbox); });
  fuzz::answered([&] {
    const auto results = coco::read_results(file.path());
    coco::Annotations annotations;
    std::set<coco::Id> images, categories;
    for (const coco::CocoResult& result : results) {
      if (categories.insert(result.category_id).second) annotations.categories.push_back({result.category_id, ""});
      if (!result.segmentation || !images.insert(result.image_id).second) continue;
      annotations.images.push_back({result.image_id, "", result.segmentation->height, result.segmentation->width});
      coco::Annotation& truth = annotations.annotations.emplace_back();
      truth.id = static_cast<std::int64_t>(images.size());
      truth.image_id = result.image_id;
      truth.category_id = result.category_id;
      truth.crowd = images.size() % 3 == 0;
      truth.area = 2000;
      truth.bbox = result.bbox;
      truth.segmentation = *result.segmentation;
    }
    fuzz::evaluate_both(annotations, results);
  });
  return 0;
}
