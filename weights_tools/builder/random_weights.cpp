#include "random_weights.h"

#include <cstring>
#include <utility>

#include "counter_generator.h"

namespace maskrt::weights {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 29;

class RandomWeights : public WeightSource {
 public:
  explicit RandomWeights(std::string seed) : seed_(std::move(seed)) {}

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

  std::vector<float> floats(const TensorRequest& tensor) const override {
    const UniformRange range = range_of(tensor.fill, tensor.shape);
    return generate(seed_ + tensor.name, elements(tensor.shape), range.scale, range.offset);
  }
  StoredTensor stored(const TensorRequest& tensor) const override {
    const auto values = floats(tensor);
    StoredTensor out{DataType::f32, std::vector<std::byte>(values.size() * sizeof(float))};
    std::memcpy(out.bytes.data(), values.data(), out.bytes.size());
    return out;
  }

 private:
  std::string seed_;
};

}  // namespace

std::shared_ptr<const WeightSource> random_weights(std::string seed) {
  return std::make_shared<RandomWeights>(std::move(seed));
}

}  // namespace maskrt::weights
