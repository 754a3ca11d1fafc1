// What a file is by its first bytes, for errors that say what was found instead of what was expected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace maskrt::graph {

struct FileKind {
  enum class Use : std::uint8_t { checkpoint, other_network, picture, text, nothing };

  std::string_view name;  ///< "a PyTorch checkpoint", "a PNG picture"
  Use use = Use::nothing;
};

/// How many bytes of a file's beginning recognise() wants, where there are as many.
inline constexpr std::size_t kRecognisedBytes = 512;

/// Nothing for what is not known. safetensors, which a model file is, too, counts as not known.
std::optional<FileKind> recognise(std::span<const std::byte> start);

}  // namespace maskrt::graph
