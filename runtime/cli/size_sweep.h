// Speed against accuracy: a model's average precision and times at several sizes of its input.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "call_times.h"
#include "line_plot.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "runtime/coco/evaluate.h"
#include "runtime/coco/iou_type.h"

namespace maskrt::cli {

/// What the figures are of.
struct SweepSubject {
  ModelInfo model;
  int threads = 0, batch = 0;
  coco::IouType iou_type = coco::IouType::segm;
};

/// A model's figures at one size.
struct SizeFigures {
  InputSettings input;     ///< how pictures were resized
  Size usual_input;        ///< the network's input that most of them had
  std::size_t images = 0;  ///< that were scored
  coco::Metrics metrics = {};
  Timings times;  ///< seconds of an image
};

/// Pre-processing, network and post-processing.
double whole_seconds(const Timings& times);
/// As SparseInst's authors count: of network and post-processing alone.
double frames_per_second(const Timings& times);

/// Where the figures of all sizes go; "" for nowhere.
struct SweepFiles {
  std::string json;
  std::string plot;  ///< SVG
};

/// Gives a model's figures at a size; nothing where no image could be used.
using MeasureSize = std::function<std::optional<SizeFigures>(const ResizeOptions& size)>;

/// Has each size measured, prints a row of each, and writes the files where there is any. Gives whether every size had
/// figures. What `measure` throws passes through, after the files have been written of the sizes so far.
bool sweep_sizes(const SweepSubject& subject, std::span<const ResizeOptions> sizes, const SweepFiles& files,
                 const MeasureSize& measure);

/// {"model": ..., "sizes": [{"min_size": 448, ..., "AP": 0.31, ..., "network_ms": 21.3, ...}, ...]}
std::string sizes_json(const SweepSubject& subject, std::span<const SizeFigures> sizes);

/// AP against milliseconds, a point a size.
LinePlot sizes_plot(const SweepSubject& subject, std::span<const SizeFigures> sizes);

}  // namespace maskrt::cli
