// "segmentation" in annotations and results: read from JSON, made into runs.
#pragma once

#include "annotations.h"
#include "json_records.h"
#include "runtime/mask/rle.h"

namespace maskrt::coco {

/// The record's "segmentation"; nothing where it is missing, null or an empty list. Throws Error through the record.
Segmentation read_segmentation(const Record& record);

/// The mask of an instance in `image`. Throws Error: there is no mask, its runs do not fill it, its size is not the
/// image's, or polygons are in an image that has no size.
rle::Runs to_runs(const Segmentation& segmentation, const ImageEntry& image);
rle::Runs to_runs(const Rle& segmentation, const ImageEntry& image);
rle::Runs to_runs(const Polygons& outlines, const ImageEntry& image);

/// Pixels of the mask that to_runs() gives. Throws as it does.
std::int64_t area(const Rle& segmentation, const ImageEntry& image);

}  // namespace maskrt::coco
