#include "build_model.h"

#include <algorithm>
#include <utility>

#include "weights_tools/builder/random_weights.h"

namespace maskrt::weights {
namespace {

// Has every tensor in the shape that is asked for, and remembers the names.
class AskedNames : public WeightSource {
 public:
  std::optional<Shape> shape_of(const std::string& name, const Shape& configured) const override {
    names_.insert(name);
    Shape shape = configured;
    for (auto& extent : shape) extent = std::max<std::int64_t>(extent, 1);
    return shape;
  }
  bool contains(const std::string&) const override { return false; }
  std::vector<float> floats(const TensorRequest&) const override { return {}; }
  StoredTensor stored(const TensorRequest&) const override { return {}; }

  std::set<std::string> take() { return std::move(names_); }

 private:
  mutable std::set<std::string> names_;
};

}  // namespace

BuiltModel build_model(const NetworkConfig& config, std::shared_ptr<const WeightSource> source,
                       std::size_t most_problems) {
  BuiltModel built;
  Weights weights(std::move(source));
  Layers net(built.description.graph, weights);
  config.network->build(net, built.description);
  weights.check(most_problems);
  built.description.name = config.name;
  built.description.categories = config.network->default_labels();
  built.tensors = weights.tensors();
  built.names = weights.names();
  return built;
}

std::set<std::string> tensor_names(const NetworkConfig& config) {
  const auto asked = std::make_shared<AskedNames>();
  try {
    build_model(config, asked);
  } catch (const Error&) {  // the weights themselves may decide what the config leaves open
  }
  return asked->take();
}

std::shared_ptr<const WeightSource> random_weights(const NetworkConfig& config) {
  return random_weights(std::string(config.family->random_seed));
}

BuiltModel build_random_model(const NetworkConfig& config) { return build_model(config, random_weights(config)); }

}  // namespace maskrt::weights
