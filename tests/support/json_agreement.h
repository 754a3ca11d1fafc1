// What the JSON reader of COCO files and nlohmann's parser must agree on, for tests and fuzz targets.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/coco/json_tree.h"

namespace maskrt::testing {

using coco::JsonFault;
using coco::JsonScanner;
using coco::JsonTree;
using coco::JsonType;
using coco::JsonValue;

inline constexpr int kDeepest = 8;

/// The same value, to the bit; of members with one name, the last counts.
inline bool same(const JsonValue& got, const nlohmann::json& want) {
  switch (got.type()) {
    case JsonType::null:
      return want.is_null();
    case JsonType::boolean:
      return want.is_boolean() && got.boolean() == want.get<bool>();
    case JsonType::string:
      return want.is_string() && got.string() == want.get<std::string>();
    case JsonType::number: {
      if (!want.is_number() || got.number() != want.get<double>()) return false;
      return !want.is_number_integer() || want.is_number_unsigned() || got.integer() == want.get<std::int64_t>();
    }
    case JsonType::array: {
      bool equal = want.is_array() && want.size() == got.size();
      std::size_t i = 0;
      if (equal) got.for_each([&](const JsonValue& element) { equal = same(element, want[i++]) && equal; });
      return equal;
    }
    case JsonType::object:
      break;
  }
  if (!want.is_object()) return false;
  for (const auto& [name, value] : want.items()) {
    const auto member = got.find(name);
    if (!member || !same(*member, value)) return false;
  }
  return true;
}

/// Nothing where the text is no JSON.
inline std::optional<JsonFault::Kind> fault_of(std::string_view text, JsonTree& tree) {
  try {
    JsonScanner scanner(text, kDeepest);
    scanner.read(tree);
    scanner.end();
    JsonScanner skipping(text, kDeepest);
    skipping.skip();
    skipping.end();
    return std::nullopt;
  } catch (const JsonFault& fault) {
    return fault.kind();
  }
}

}  // namespace maskrt::testing
