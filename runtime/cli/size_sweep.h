// Speed against accuracy: a model's scores and times at several sizes of its input.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "call_times.h"
#include "line_plot.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "runtime/coco/evaluate.h"
#include "runtime/coco/iou_type.h"

namespace maskrt::cli {

/// One of the numbers that a model is scored by, from 0 to 1; negative where nothing counts.
struct SweepMetric {
  std::string name;    ///< in JSON
  std::string column;  ///< in the table; "": it is not there
};

/// By what a model is scored.
struct SweepScoring {
  std::string key, value;            ///< of JSON, that tells it: "iou_type" and "segm"
  std::vector<SweepMetric> metrics;  ///< the first is drawn
  std::string name;                  ///< of the first: "mask AP"
  std::string remark;                ///< of it, for the axis: "IoU 0.50:0.95"; may be empty
  bool none_is_null = true;          ///< in JSON, what has nothing to count; else a negative number
};

/// COCO's twelve numbers, of which JSON has -1 as pycocotools does.
SweepScoring average_precision(coco::IouType type);

/// What the figures are of.
struct SweepSubject {
  ModelInfo model;
  int threads = 0, batch = 0;
  SweepScoring scoring = average_precision(coco::IouType::segm);
};

/// A model's figures at one size.
struct SizeFigures {
  InputSettings input;          ///< how pictures were resized
  Size usual_input;             ///< the network's input that most of them had
  std::size_t images = 0;       ///< that were scored
  std::vector<double> metrics;  ///< as SweepScoring lists them
  Timings times;                ///< seconds of an image
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

/// The first of the metrics against milliseconds, a point a size.
LinePlot sizes_plot(const SweepSubject& subject, std::span<const SizeFigures> sizes);

}  // namespace maskrt::cli
