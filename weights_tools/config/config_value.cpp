#include "config_value.h"

#include <algorithm>
#include <cstdio>

#include "maskrt/types.hpp"

namespace maskrt::weights {
namespace {

// Control characters would garble the terminal, and a hostile file may hold a megabyte of them.
std::string quoted(const std::string& text) {
  constexpr std::size_t kLongest = 60;
  std::string out = "'";
  for (const char c : text.substr(0, kLongest)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace

std::string to_string(const Origin& origin) {
  const std::string source = origin.source ? *origin.source : "the defaults";
  return origin.line > 0 ? source + ", line " + std::to_string(origin.line) : source;
}

const ConfigValue* ConfigValue::find(std::string_view key) const {
  const auto at = std::find(keys.begin(), keys.end(), key);
  return at == keys.end() ? nullptr : &items[static_cast<std::size_t>(at - keys.begin())];
}

ConfigValue* ConfigValue::find(std::string_view key) {
  return const_cast<ConfigValue*>(static_cast<const ConfigValue*>(this)->find(key));
}

void ConfigValue::set(std::string_view key, ConfigValue value) {
  if (auto* const existing = find(key)) {
    *existing = std::move(value);
    return;
  }
  if (keys.size() == kMostKeys)
    throw Error(to_string(value.origin) + ": expected at most " + std::to_string(kMostKeys) +
                " keys in a mapping, found more");
  keys.emplace_back(key);
  items.push_back(std::move(value));
}

void ConfigValue::erase(std::string_view key) {
  const auto at = std::find(keys.begin(), keys.end(), key);
  if (at == keys.end()) return;
  items.erase(items.begin() + (at - keys.begin()));
  keys.erase(at);
}

std::string describe(const ConfigValue& value) {
  switch (value.kind) {
    case ConfigValue::Kind::none:
      return "nothing";
    case ConfigValue::Kind::boolean:
      return value.boolean ? "True" : "False";
    case ConfigValue::Kind::integer:
      return "the integer " + std::to_string(value.integer);
    case ConfigValue::Kind::real: {
      char digits[32];
      std::snprintf(digits, sizeof digits, "%.9g", value.real);
      return std::string("the number ") + digits;
    }
    case ConfigValue::Kind::string:
      return "the string " + quoted(value.text);
    case ConfigValue::Kind::list:
      return "a list of " + std::to_string(value.items.size());
    case ConfigValue::Kind::map:
      return "a mapping";
  }
  return "nothing";
}

}  // namespace maskrt::weights
