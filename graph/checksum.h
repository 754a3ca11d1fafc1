// The model file's checksum, which lies inside the file and leaves itself out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maskrt::graph {

constexpr std::string_view kChecksumKey = "maskrt.checksum";
constexpr std::string_view kChecksumPrefix = "xxh3:";
constexpr std::size_t kChecksumDigits = 16;

/// XXH3, 64 bits, seed 0, of bytes that come piece by piece.
class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(const Xxh3&) = delete;
  Xxh3& operator=(const Xxh3&) = delete;
  void update(std::span<const std::byte> bytes);
  std::uint64_t digest() const;  ///< of all so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 16 lower-case hexadecimal digits.
std::string digits_of(std::uint64_t hash);

/// Feeds `hash` a file's beginning, with the 16 bytes at `digits` read as the character 0.
void update_without_digits(Xxh3& hash, std::span<const std::byte> beginning, std::size_t digits);

/// Where the digits stand in a safetensors header (or a file that begins with one): those of the string after the key
/// "maskrt.checksum". Nothing where there is none.
std::optional<std::size_t> find_checksum(std::string_view header);

/// Of all parts one after another, the 16 bytes at `digits` of the first read as the character 0.
std::string checksum(std::span<const std::span<const std::byte>> parts, std::size_t digits);

}  // namespace maskrt::graph
