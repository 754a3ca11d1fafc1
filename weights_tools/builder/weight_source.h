// Where a network's numbers come from: a checkpoint, or a generator.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fill.h"
#include "maskrt/types.hpp"
#include "weights_tools/checkpoint/checkpoint.h"

namespace maskrt::weights {

/// A tensor as the model file will hold it: row-major, in its own dtype.
struct StoredTensor {
  DataType type = DataType::f32;
  std::vector<std::byte> bytes;
};

/// A tensor that a builder asked for.
struct TensorRequest {
  std::string name;
  Shape shape;  ///< as its source has it
  Fill fill;    ///< what a generator makes of it
};

/// Named tensors. Immutable, so that constants may read it from several threads for as long as they live.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// The shape of a tensor, or nothing where there is none. A generator has every tensor it is asked for by name
  /// and gives `configured`, the shape that the config says, where every extent is known.
  virtual std::optional<Shape> shape_of(const std::string& name, const Shape& configured) const = 0;
  /// Whether the tensor was there before anybody asked: always false for a generator.
  virtual bool contains(const std::string& name) const = 0;
  /// Row-major fp32. The request's shape is what shape_of gave.
  virtual std::vector<float> floats(const TensorRequest& tensor) const = 0;
  virtual StoredTensor stored(const TensorRequest& tensor) const = 0;
  /// All names there are, as their source has them, for messages; none of a generator.
  virtual std::vector<std::string> all_names() const { return {}; }
  /// The name under which the source has a tensor, and what it has there if that is none of floating-point numbers.
  virtual std::string source_name(const std::string& name) const { return name; }
  virtual std::optional<std::string> instead_of(const std::string&) const { return std::nullopt; }
};

/// The tensors of a checkpoint, of which `in_file` maps names to those that the file has.
std::shared_ptr<const WeightSource> checkpoint_weights(std::shared_ptr<const Checkpoint> checkpoint,
                                                       std::map<std::string, std::string> in_file);

}  // namespace maskrt::weights
