// Backbones alone, for their tests: built from settings, with random weights or with tensors of which only the shapes
// are there.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "networks.h"
#include "weights_tools/backbones/backbone.h"
#include "weights_tools/builder/random_weights.h"
#include "weights_tools/config/python_literal.h"

namespace maskrt::weights {

struct BuiltBackbone {
  std::string summary, first_layer;
  graph::Graph graph;
  Features features;
  std::vector<TensorRequest> tensors;
};

/// The backbone that the settings describe, which must be read all, with its features as the graph's outputs. Throws
/// Error as read_backbone, build and Weights::check do.
inline BuiltBackbone build_backbone(const Overrides& settings, const std::string& prefix = "backbone.",
                                    std::shared_ptr<const WeightSource> source = random_weights("1:"),
                                    std::size_t most_problems = 8) {
  ConfigValue root;
  root.kind = ConfigValue::Kind::map;
  const Origin origin{std::make_shared<const std::string>("the test"), 0};
  for (const auto& [key, value] : settings) set_dotted(root, key, literal_or_string(value, origin));
  ConfigReader reader(root);
  const auto backbone = read_backbone(reader, prefix);
  CHECK(reader.unread().empty());
  BuiltBackbone built;
  built.summary = backbone->summary();
  built.first_layer = backbone->first_layer();
  Weights weights(std::move(source));
  Layers net(built.graph, weights);
  built.features = backbone->build(net.input(3), net);
  weights.check(most_problems);
  for (const auto& [name, feature] : built.features) built.graph.outputs.push_back(feature.value);
  built.tensors = weights.tensors();
  return built;
}

/// What is said about settings, and about weights of these shapes under them; "built" where nothing is.
inline std::string refusal(const Overrides& settings, const ShapedWeights* weights = nullptr,
                           std::size_t most_problems = 8) {
  try {
    build_backbone(settings, "backbone.",
                   weights != nullptr ? std::make_shared<const ShapedWeights>(*weights) : random_weights("1:"),
                   most_problems);
  } catch (const Error& error) {
    return error.what();
  }
  return "built";
}

inline ShapedWeights shapes_of(const BuiltBackbone& built) { return ShapedWeights(built.tensors); }

inline std::int64_t parameters(const std::vector<TensorRequest>& tensors) {
  std::int64_t sum = 0;
  for (const auto& tensor : tensors) sum += elements(tensor.shape);
  return sum;
}

/// A feature's extent for an image of 640 x 864.
inline graph::Extent extent_of(const BuiltBackbone& built, const std::string& feature) {
  return graph::infer_extents(built.graph, 1, 640, 864)[static_cast<std::size_t>(built.features.at(feature).value)];
}

/// The operation of a layer, by its name behind "backbone.".
template <typename Operation>
const Operation& layer(const BuiltBackbone& built, const std::string& name) {
  return operation<Operation>(built.graph, "backbone." + name);
}

/// The value that a node reads as its input number `input`, by the name of the node that makes it.
inline std::string reads_from(const graph::Graph& graph, const std::string& name, std::size_t input) {
  const graph::ValueId value = node(graph, name).inputs.at(input);
  return graph.nodes.at(static_cast<std::size_t>(graph.producer(value))).name;
}

}  // namespace maskrt::weights
