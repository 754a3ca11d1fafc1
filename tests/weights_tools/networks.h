// Networks for the tests of families and backbones: built from published configs, and weights of which parts are
// missing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "maskrt/types.hpp"
#include "weights_tools/families/build_model.h"

namespace maskrt::weights {

/// Shapes alone, kept from a network that was built once, so that single ones can be taken away or bent.
class ShapedWeights : public WeightSource {
 public:
  explicit ShapedWeights(const BuiltModel& model) : ShapedWeights(model.tensors) {}
  explicit ShapedWeights(const std::vector<TensorRequest>& tensors) {
    for (const auto& tensor : tensors) shapes[tensor.name] = tensor.shape;
  }
  std::optional<Shape> shape_of(const std::string& name, const Shape&) const override {
    return shapes.contains(name) ? std::optional(shapes.at(name)) : std::nullopt;
  }
  bool contains(const std::string& name) const override { return shapes.contains(name); }
  std::vector<float> floats(const TensorRequest& tensor) const override {
    return std::vector<float>(static_cast<std::size_t>(elements(tensor.shape)));
  }
  StoredTensor stored(const TensorRequest&) const override { return {}; }

  std::map<std::string, Shape> shapes;
};

/// A published config with overrides, read by its family.
inline NetworkConfig config_of(const std::string& name, const Overrides& overrides = {}) {
  Config config = published_config(name);
  apply_overrides(config, overrides);
  return read_network(config);
}

/// What is wrong with weights for a config's network; "" for nothing.
inline std::string problems(const NetworkConfig& config, const ShapedWeights& weights, std::size_t most = 8) {
  try {
    build_model(config, std::make_shared<ShapedWeights>(weights), most);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline const graph::Node& node(const graph::Graph& graph, const std::string& name) {
  for (const auto& one : graph.nodes)
    if (one.name == name) return one;
  throw Error("no node " + name);
}

template <typename Operation>
const Operation& operation(const graph::Graph& graph, const std::string& name) {
  return std::get<Operation>(node(graph, name).operation);
}

}  // namespace maskrt::weights
