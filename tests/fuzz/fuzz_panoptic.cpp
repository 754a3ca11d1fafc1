// COCO's panoptic files, as annotations and as results on themselves.
#include "memory_file.h"
#include "runtime/label_maps/panoptic_quality.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
  const fuzz::MemoryFile file({data, size});
  fuzz::answered([&] {
    const label_maps::PanopticSet truths = label_maps::read_panoptic_annotations(file.path());
    const label_maps::PanopticSet results = label_maps::read_panoptic_results(file.path(), truths);
    fuzz::require(results.images.size() == truths.images.size(), "annotations are results on themselves");
    for (const label_maps::PanopticImage& image : truths.images) {
      // A picture of one row, in which each segment has a pixel, and void has one.
      label_maps::SegmentMap map{static_cast<int>(image.segments.size()) + 1, 1, {0}};
      for (const label_maps::SegmentInfo& segment : image.segments) map.ids.push_back(segment.id);
      const auto matches =
          label_maps::match_segments(map, image.segments, map, image.segments, truths.categories.size());
      fuzz::require(matches.size() == truths.categories.size(), "each category has its matches");
    }
  });
  return 0;
}
