// What a Model holds behind the public interface.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "device.h"
#include "graph/activation_source.h"
#include "graph/model_file.h"
#include "maskrt/maskrt.hpp"

namespace maskrt {

struct Model::Impl {
  graph::ModelDescription description;  ///< the plain graph and all settings, as the file has them
  std::shared_ptr<Device> device;
  std::string device_reason;  ///< why "auto" is not a GPU
  std::string tuning_reason;  ///< why the tuning file is ignored
  Precision precision = Precision::fp32;
  std::unique_ptr<Network> network;
  std::set<std::string> kept;                          ///< values that a run leaves beside its results, by name
  std::set<std::string> outputs;                       ///< the kept values and the network's own outputs
  std::optional<graph::ActivationSource> activations;  ///< of the plain graph; none where it has no such maps
  bool activations_kept = false;                       ///< a run leaves them
};

/// A model from a description in memory: for tests, benchmarks and whoever builds graphs.
/// Throws Error: an unknown rewrite or value, a precision that the device lacks.
Model make_model(graph::ModelDescription description, const ModelOptions& options);

}  // namespace maskrt
