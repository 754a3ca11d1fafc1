// A trained network's weights, whatever container they came in.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "float8.h"
#include "maskrt/types.hpp"

namespace maskrt::weights {

/// A tensor of a checkpoint. Strides count elements and may be anything inside the storage (views, transposes).
struct CheckpointTensor {
  DataType type = DataType::f32;  ///< of what dense() gives
  Shape shape;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;  ///< of element 0 in the storage, in elements
  std::shared_ptr<const std::vector<std::byte>> storage;
  Float8 float8 = Float8::none;  ///< what the storage holds instead of fp32

  /// Row-major bytes of `type`.
  std::vector<std::byte> dense() const;
  /// Row-major fp32.
  std::vector<float> to_floats() const;
};

enum class Container { pytorch_zip, pytorch_legacy, plain_pickle, safetensors };
std::string_view name_of(Container container);

/// The floating-point tensors of a checkpoint's state dict, under the names that it has there.
struct Checkpoint {
  Container container = Container::pytorch_zip;
  std::map<std::string, CheckpointTensor> tensors;
  /// Names that hold no tensor or no floating-point one (num_batches_tracked, ...), those beside the state dict
  /// (optimizer, iteration, ...) included.
  std::vector<std::string> ignored;
  /// What stands under those of them that are in the state dict: "a tensor of int64", "argparse.Namespace".
  std::map<std::string, std::string> other;
};

/// Recognises the container by its first bytes, never by the file's name. Takes {"model": state_dict, ...},
/// {"state_dict": ...} and others of their kind, and a bare state dict. Throws Error that names the file, what was
/// expected and what was found. Runs no code: the unpickler can only build data, and holds the place of everything
/// else. Memory taken is bounded by the file's size.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace maskrt::weights
