// Measures a model: what `maskrt bench` prints.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "maskrt/maskrt.hpp"
#include "options.h"

namespace maskrt::cli {

struct MeasureSettings {
  std::optional<Size> size;   ///< size of the network's input, rounded up to what the model needs
  std::optional<Size> image;  ///< size of the generated picture; `size` where not given
  ResizeOptions resize;       ///< of the picture, and of the network's input where `size` is not given
  int batch = 1;
  int runs = 0;               ///< runs of each stage; 0: as many as take about three seconds, 7 to 200
  int warmup = 2;             ///< runs of each stage before those
  bool further_plan = false;  ///< make a plan of another size at the end; measuring for it would take memory of its own
  SessionOptions session;
};

/// Seconds of each run of one stage.
struct Stage {
  std::string name;  ///< "host to device"; in JSON "host_to_device"
  std::vector<double> seconds = {};
};

struct Measured {
  Size network, picture;
  Size picture_network;     ///< the network's input for the picture: pre- and post-processing are of that size
  double plan_seconds = 0;  ///< making the first plan, once
  /// Making one more where that was asked for: for the network's input turned, or one step higher where it is square.
  double further_plan_seconds = 0;
  /// "decode", of one picture; "preprocess", "network" and "postprocess", on a GPU by its own clock and launched one
  /// after the other; on a GPU before these "host to device", "compute" (all three of them at one go) and "device to
  /// host"; "whole call", from pictures to instances by the host's clock; and at the end "network alone", of size
  /// `network`.
  std::vector<Stage> stages;
  std::vector<LayerTiming> layers;  ///< with median seconds
  std::size_t instances = 0;        ///< found in each picture
  int warmup = 0;
  MemoryUse memory;

  /// The median of the stage of that name, which must be there, in seconds.
  double median(const char* stage) const;
};

/// Runs each stage to warm up, then as often as asked for; calls `before_layers` before it measures layers, whose
/// bounds take memory to find out. Throws Error; Interrupted between two runs.
Measured measure(const Model& model, const MeasureSettings& settings, const std::function<void()>& before_layers);

}  // namespace maskrt::cli
