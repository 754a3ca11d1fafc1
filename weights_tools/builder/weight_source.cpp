#include "weight_source.h"

#include <utility>

namespace maskrt::weights {
namespace {

class CheckpointWeights : public WeightSource {
 public:
  CheckpointWeights(std::shared_ptr<const Checkpoint> checkpoint, std::map<std::string, std::string> in_file)
      : checkpoint_(std::move(checkpoint)), in_file_(std::move(in_file)) {}

  std::optional<Shape> shape_of(const std::string& name, const Shape&) const override {
    const auto* tensor = find(name);
    return tensor != nullptr ? std::optional(tensor->shape) : std::nullopt;
  }
  bool contains(const std::string& name) const override { return find(name) != nullptr; }
  std::vector<float> floats(const TensorRequest& request) const override {
    return checkpoint_->tensors.at(source_name(request.name)).to_floats();
  }
  StoredTensor stored(const TensorRequest& request) const override {
    const auto& tensor = checkpoint_->tensors.at(source_name(request.name));
    return {tensor.type, tensor.dense()};
  }
  std::vector<std::string> all_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : checkpoint_->tensors) names.push_back(name);
    return names;
  }
  std::string source_name(const std::string& name) const override {
    const auto known = in_file_.find(name);
    return known != in_file_.end() ? known->second : name;
  }
  std::optional<std::string> instead_of(const std::string& name) const override {
    const auto known = in_file_.find(name);
    if (known == in_file_.end()) return std::nullopt;
    const auto found = checkpoint_->other.find(known->second);
    return found != checkpoint_->other.end() ? std::optional(found->second) : std::nullopt;
  }

 private:
  const CheckpointTensor* find(const std::string& name) const {
    const auto known = in_file_.find(name);
    if (known == in_file_.end()) return nullptr;
    const auto found = checkpoint_->tensors.find(known->second);
    return found != checkpoint_->tensors.end() ? &found->second : nullptr;
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  std::map<std::string, std::string> in_file_;
};

}  // namespace

std::shared_ptr<const WeightSource> checkpoint_weights(std::shared_ptr<const Checkpoint> checkpoint,
                                                       std::map<std::string, std::string> in_file) {
  return std::make_shared<CheckpointWeights>(std::move(checkpoint), std::move(in_file));
}

}  // namespace maskrt::weights
