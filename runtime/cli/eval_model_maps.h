// `maskrt eval MODEL --task semantic` and `--task panoptic`: a model over a data set.
#pragma once

#include <cstddef>
#include <string>

#include "eval_maps.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "size_options.h"

namespace maskrt::cli {

/// The model and how it runs.
struct MapModel {
  std::string model;
  SizeOptions sizes;
  DecodeOptions decode;
  DeviceOptions device;
  int batch = 1;
  std::size_t limit = 0;  ///< images at most; 0: all
  bool quiet = false, ignore_labels = false;
};

/// Runs the model on the pictures of the annotations, several at a time, and scores what it finds as it goes: what is
/// held does not grow with the number of pictures. Prints and writes the numbers, draws the results where that is
/// wanted, and with several sizes makes the table of them. Returns the exit status: kExitBadInput where a picture could
/// not be used, without which the others are scored.
int evaluate_model_maps(const MapOptions& options, const MapFiles& files, const MapModel& model);

}  // namespace maskrt::cli
