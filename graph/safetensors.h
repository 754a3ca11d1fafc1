// The safetensors container: a reader that copies out what is asked for, and a writer that leaves no half-written file
// behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "byte_source.h"
#include "maskrt/types.hpp"

namespace maskrt::graph {

/// One tensor of a safetensors file: row-major, little-endian. Its bytes are read when they are asked for.
struct TensorView {
  DataType type = DataType::f32;
  Shape shape;
  std::shared_ptr<const ByteSource> source;
  std::size_t offset = 0, size = 0;  ///< of its bytes in the source
  /// XXH3 of the bytes, once somebody has taken it: from then on other bytes are an error.
  std::optional<std::uint64_t> fingerprint;

  /// Throws Error where the file has been cut or changed since it was opened.
  std::vector<std::byte> read() const;
  /// The same, widened or narrowed to fp32.
  std::vector<float> to_floats() const;
};

/// A tensor of a dtype that the graph does not know: "F8_E4M3", "C64". Whether its bytes fit its shape is not known.
struct OtherTensor {
  std::string type;
  Shape shape;
  std::size_t offset = 0, size = 0;  ///< of its bytes in the source
};

/// What becomes of dtypes that the graph does not know.
enum class OtherTypes : std::uint8_t { refuse, list };

/// A safetensors file, checked from end to end before anything is taken from it: header length, JSON, dtypes, shapes,
/// offsets, products that overflow, holes and overlaps.
struct Safetensors {
  std::shared_ptr<const ByteSource> source;
  std::string header;  ///< the length and the JSON, as they stand at the source's beginning
  std::map<std::string, TensorView> tensors;
  std::map<std::string, OtherTensor> others;  ///< empty unless they are to be listed
  std::map<std::string, std::string> metadata;

  /// Throws Error that names the file, what was expected and what was found.
  static Safetensors read(const std::filesystem::path& path);
  static Safetensors read(std::shared_ptr<const ByteSource> source, OtherTypes other_types = OtherTypes::refuse);
};

/// One tensor to be written. `bytes` must stay valid until write_safetensors returns.
struct TensorToWrite {
  std::string name;
  DataType type = DataType::f32;
  Shape shape;
  std::span<const std::byte> bytes;
};

/// Writes `path` through a temporary file beside it that is renamed at the end: a failure leaves what was there before.
/// Tensor data starts at a multiple of 256 bytes. Throws Error.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

/// Any file, all of it or none of it: written beside `path`, flushed, then renamed over it. Throws Error.
void write_file(const std::filesystem::path& path, std::span<const std::byte> contents);

}  // namespace maskrt::graph
