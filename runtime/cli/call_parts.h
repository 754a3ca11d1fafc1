// What a call's time is made of: pre-processing, the network's modules, post-processing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "measure.h"

namespace maskrt::cli {

/// A stage of a call, or a module of its network.
struct CallPart {
  std::string name;
  double seconds = 0;
  std::size_t layers = 0;  ///< of a module
};

/// In order: "preprocess", the modules as the network's layers have them, "postprocess".
///
/// Stages take their medians. The modules have the network's between them, each the share that its layers have of all
/// layers' times: layers are timed one by one, which takes longer than the network at one go, on a GPU by far.
/// Reorders and fused layers count where their time is spent, as LayerTiming::module says.
std::vector<CallPart> parts_of_call(const Measured& measured);

double seconds_of(const std::vector<CallPart>& parts);

/// As the authors of SparseInst count: pictures of the batch a second, by the network and post-processing alone.
double frames_per_second(const std::vector<CallPart>& parts, int batch);

}  // namespace maskrt::cli
