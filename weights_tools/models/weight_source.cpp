#include "weight_source.h"

#include <utility>

namespace maskrt::weights {
namespace {

class CheckpointWeights : public WeightSource {
 public:
  explicit CheckpointWeights(std::shared_ptr<const Checkpoint> checkpoint) : checkpoint_(std::move(checkpoint)) {}

  std::optional<Shape> shape_of(const std::string& name, const Shape&) const override {
    const auto found = checkpoint_->tensors.find(name);
    if (found == checkpoint_->tensors.end()) return std::nullopt;
    return found->second.shape;
  }
  bool contains(const std::string& name) const override { return checkpoint_->tensors.contains(name); }
  std::vector<float> floats(const std::string& name, const Shape&) const override {
    return checkpoint_->tensors.at(name).to_floats();
  }
  StoredTensor stored(const std::string& name, const Shape&) const override {
    const auto& tensor = checkpoint_->tensors.at(name);
    return {tensor.type, tensor.dense()};
  }

 private:
  std::shared_ptr<const Checkpoint> checkpoint_;
};

}  // namespace

std::shared_ptr<const WeightSource> checkpoint_weights(std::shared_ptr<const Checkpoint> checkpoint) {
  return std::make_shared<CheckpointWeights>(std::move(checkpoint));
}

}  // namespace maskrt::weights
