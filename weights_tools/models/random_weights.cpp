#include "random_weights.h"

#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "counter_generator.h"

namespace maskrt::weights {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 29;

// Stands before every tensor's name. Whether untrained masks cover nothing, everything or something is luck: with this
// seed they cover something, for the base and the grouped decoders.
const std::string kSeed = "6:";

// A tensor's numbers: uniform in offset +- scale.
struct Fill {
  double scale = 0, offset = 0;
};

// Weights of a layer whose output has `gain` squared times its input's mean square, on average.
Fill gain(double gain, const Shape& shape) {
  double fan_in = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
  return {gain * std::sqrt(3 / fan_in), 0};
}

bool has(std::string_view name, std::string_view part) { return name.find(part) != std::string_view::npos; }

class RandomWeights : public WeightSource {
 public:
  explicit RandomWeights(const SparseInstConfig& config) : basic_blocks_(config.resnet.depth < 50) {
    // Each block adds a little to what passes through it: less where there are more blocks.
    const int blocks = config.resnet.depth < 50 ? config.resnet.depth / 2 : config.resnet.depth / 3;
    residual_ = 0.35 * std::sqrt(16.0 / blocks);
  }

  std::optional<Shape> shape_of(const std::string& name, const Shape& configured) const override {
    std::int64_t count = 1;
    for (const auto extent : configured) {
      if (extent <= 0) return std::nullopt;
      if (count > kMostElements / extent)
        throw Error("tensor " + name + ": expected at most " + std::to_string(kMostElements) +
                    " random weights, found the shape " + maskrt::to_string(configured));
      count *= extent;
    }
    return configured;
  }
  bool contains(const std::string&) const override { return false; }

  std::vector<float> floats(const std::string& name, const Shape& shape) const override {
    const Fill fill = fill_of(name, shape);
    return generate(kSeed + name, elements(shape), static_cast<float>(fill.scale), static_cast<float>(fill.offset));
  }
  StoredTensor stored(const std::string& name, const Shape& shape) const override {
    const auto values = floats(name, shape);
    StoredTensor out{DataType::f32, std::vector<std::byte>(values.size() * sizeof(float))};
    std::memcpy(out.bytes.data(), values.data(), out.bytes.size());
    return out;
  }

 private:
  Fill fill_of(std::string_view name, const Shape& shape) const {
    if (name.starts_with("backbone.")) return backbone_fill(name, shape);
    if (has(name, "inst_branch.")) return instance_fill(name, shape);
    if (name.ends_with(".bias")) return {0.2, 0};
    const bool before_relu = has(name, "ppm.") || has(name, "mask_convs.");
    return gain(before_relu ? std::sqrt(2.0) : 1, shape);
  }

  Fill backbone_fill(std::string_view name, const Shape& shape) const {
    if (name.ends_with(basic_blocks_ ? ".conv2.norm.weight" : ".conv3.norm.weight")) return {residual_ / 4, residual_};
    if (name.ends_with(".norm.weight") || name.ends_with(".running_var")) return {0.3, 1};
    if (name.ends_with(".norm.bias")) return {0.1, 0};
    if (name.ends_with(".running_mean")) return {0.1, 0};
    // A block's own input was not halved by its ReLU: most of it had passed one before.
    const bool reads_block = has(name, ".shortcut.") || (has(name, ".conv1.") && !has(name, "stem."));
    return gain(reads_block ? 1 : std::sqrt(2.0), shape);
  }

  // Few positions light up in a map; classes and scores spread on both sides of the thresholds.
  static Fill instance_fill(std::string_view name, const Shape& shape) {
    if (name.ends_with("iam_conv.bias")) return {1, -6};
    if (name.ends_with("iam_conv.weight")) return gain(3, shape);
    if (name.ends_with("cls_score.bias")) return {1, -2};
    if (name.ends_with("objectness.bias")) return {0.2, 1};
    if (name.ends_with("cls_score.weight") || name.ends_with("objectness.weight")) return gain(1, shape);
    if (name.ends_with(".bias")) return {0.2, 0};
    return gain(name.ends_with("mask_kernel.weight") ? 0.5 : std::sqrt(2.0), shape);
  }

  bool basic_blocks_;
  double residual_;
};

}  // namespace

std::shared_ptr<const WeightSource> random_weights(const SparseInstConfig& config) {
  return std::make_shared<RandomWeights>(config);
}

}  // namespace maskrt::weights
