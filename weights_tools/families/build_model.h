// From a network's config and weights to its graph.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "families.h"

namespace maskrt::weights {

/// A network, and the tensors that the model file has to hold.
struct BuiltModel {
  graph::ModelDescription description;  ///< with the family's labels
  std::vector<TensorRequest> tensors;
  std::vector<std::string> names;  ///< of all tensors that were read
};

/// Builds the network. Throws Error as Network::build does, and one Error for all tensors that are missing or
/// misshapen, which lists `most_problems` of them. The graph's constants keep `source` alive.
BuiltModel build_model(const NetworkConfig& config, std::shared_ptr<const WeightSource> source,
                       std::size_t most_problems = 8);

/// The tensors that the config's network asks a source for, whatever is wrong with the config otherwise.
std::set<std::string> tensor_names(const NetworkConfig& config);

/// Weights for the network that nobody trained, as builder/random_weights.h and the family's seed have it: activations
/// stay near 1 at any depth, and there is something to find.
std::shared_ptr<const WeightSource> random_weights(const NetworkConfig& config);

/// The network with those.
BuiltModel build_random_model(const NetworkConfig& config);

}  // namespace maskrt::weights
