// JSON from files that nobody vouches for.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace maskrt::graph {

/// Parses one JSON document. Throws Error that begins with `where` for anything that is not JSON, for a key that stands
/// twice in one object, and for nesting deeper than `depth`.
nlohmann::json parse_strict_json(std::string_view text, const std::string& where, int depth);

}  // namespace maskrt::graph
