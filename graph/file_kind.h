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

/// Whether it begins as a safetensors file does, which a model file is, too: the header's length, of which the upper
/// bytes are 0, and the header's first character.
bool is_safetensors(std::span<const std::byte> start);

/// Nothing for what is not known, and for safetensors.
std::optional<FileKind> recognise(std::span<const std::byte> start);

}  // namespace maskrt::graph
