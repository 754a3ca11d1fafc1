// Just enough of the safetensors container to read test tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vgpu {

struct Tensor {
  std::string type;  ///< "F16", "BF16", "F32", "I32", "I8", "U8", ...
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;

  std::uint32_t element_bytes() const;
  std::size_t elements() const { return bytes.size() / element_bytes(); }
  /// One element, widened. Throws Error on a type that has no numbers.
  double value(std::size_t index) const;
};

/// Throws Error that names the file.
std::map<std::string, Tensor> read_safetensors(const std::filesystem::path& path);

}  // namespace vgpu
