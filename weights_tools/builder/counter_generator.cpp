#include "counter_generator.h"

#include <cstddef>

namespace maskrt::weights {
namespace {

constexpr std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

constexpr std::uint64_t splitmix64(std::uint64_t seed, std::uint64_t counter) {
  std::uint64_t z = seed + counter * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

std::vector<float> generate(std::string_view name, std::int64_t count, float scale, float offset) {
  const std::uint64_t seed = fnv1a64(name);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float u = static_cast<float>(splitmix64(seed, i + 1) >> 40) * 0x1p-23f - 1;  // exact
    // The product of two floats is exact in double, so a compiler that fuses multiply and add changes nothing.
    const auto product = static_cast<float>(static_cast<double>(u) * static_cast<double>(scale));
    values[i] = product + offset;
  }
  return values;
}

}  // namespace maskrt::weights
