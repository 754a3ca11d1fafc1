// Python literals, as detectron2 lets them stand in YAML strings and on the command line.
#pragma once

#include <optional>
#include <string_view>

#include "config_value.h"

namespace maskrt::weights {

/// The value of `text` read as Python's ast.literal_eval would: numbers, strings, True, False, None, tuples, lists and
/// dicts with string keys, nested. Nothing where `text` is no such literal: detectron2 then keeps the string itself.
/// Every value takes `origin`. Never throws; nesting is bounded.
std::optional<ConfigValue> parse_python_literal(std::string_view text, const Origin& origin);

/// The literal that `text` is, or the string itself: what detectron2 makes of a value on the command line.
ConfigValue literal_or_string(std::string_view text, const Origin& origin);

}  // namespace maskrt::weights
