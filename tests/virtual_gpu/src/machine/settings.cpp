#include "machine/settings.h"

#include <cstdlib>
#include <optional>
#include <string>

namespace vgpu {
namespace {

[[noreturn]] void wrong(const char* name, const std::string& expected, const char* found) {
  throw Error(std::string(name) + ": expected " + expected + ", found '" + found + "'");
}

std::optional<std::uint64_t> number(const char* name, bool sizes = false) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  std::uint64_t value = std::strtoull(text, &end, 10);
  if (end == text) wrong(name, "a number", text);
  if (sizes && *end != '\0') {
    const std::size_t power = std::string("KMG").find(*end);
    if (power == std::string::npos) wrong(name, "bytes, or a number with K, M or G", text);
    value <<= 10 * (power + 1);
    ++end;
  }
  if (*end != '\0') wrong(name, "a number", text);
  return value;
}

}  // namespace

Settings settings_from_environment(Settings settings) {
  if (const char* text = std::getenv("VGPU_CC"); text != nullptr && *text != '\0') {
    const std::string version = text;
    settings.compute_capability = 0;
    for (const int known : {75, 80, 86, 89, 90}) {
      if (version == std::to_string(known / 10) + "." + std::to_string(known % 10)) settings.compute_capability = known;
    }
    if (settings.compute_capability == 0) wrong("VGPU_CC", "7.5, 8.0, 8.6, 8.9 or 9.0", text);
  }
  if (const auto value = number("VGPU_SMS")) settings.sms = static_cast<std::uint32_t>(*value);
  if (settings.sms == 0) wrong("VGPU_SMS", "at least 1", "0");
  if (const auto value = number("VGPU_MEMORY", true)) settings.memory = *value;
  if (const auto value = number("VGPU_SEED")) settings.seed = *value;
  if (const auto value = number("VGPU_CHECKS")) settings.race_checks = *value != 0;
  if (const auto value = number("VGPU_SAMPLE_BLOCKS")) settings.sample_blocks = static_cast<std::uint32_t>(*value);
  if (const auto value = number("VGPU_THREADS")) settings.threads = static_cast<std::uint32_t>(*value);
  return settings;
}

}  // namespace vgpu
