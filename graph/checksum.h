// The model file's checksum, which lies inside the file and leaves itself out.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maskrt::graph {

constexpr std::string_view checksum_key = "maskrt.checksum";
constexpr std::string_view checksum_prefix = "xxh3:";
constexpr std::size_t checksum_digits = 16;

/// Where the digits stand in a safetensors header (or a file that begins with one): those of the string after the key
/// "maskrt.checksum". Nothing where there is none.
std::optional<std::size_t> find_checksum(std::string_view header);

/// XXH3, 64 bits, seed 0, of all parts one after another, the 16 bytes at `digits` of the first read as the character
/// 0; 16 lower-case hexadecimal digits.
std::string checksum(std::span<const std::span<const std::byte>> parts, std::size_t digits);

}  // namespace maskrt::graph
