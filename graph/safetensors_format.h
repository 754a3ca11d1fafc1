// What the reader, the writer and the model file share about the container.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "safetensors.h"

namespace maskrt::graph {

/// "F32", "BF16", ...: the container's name of a data type.
std::string_view safetensors_name(DataType type);

/// What the format's own library takes as a header, and so what is read and written here.
inline constexpr std::uint64_t kMostHeaderBytes = 100'000'000;

/// A file that is ready to be written: the parts stand one after another.
struct SafetensorsLayout {
  std::string header;  ///< the 8 bytes of length and the padded JSON
  std::vector<std::span<const std::byte>> data;
};

/// Checks the tensors against their shapes and orders them. Throws Error.
SafetensorsLayout lay_out(const std::vector<TensorToWrite>& tensors,
                          const std::map<std::string, std::string>& metadata);

}  // namespace maskrt::graph
