#include "strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::graph {

nlohmann::json parse_strict_json(std::string_view text, const std::string& where, int depth) {
  using nlohmann::json;
  std::vector<std::set<std::string>> keys;  // of each object that is open
  const json::parser_callback_t watch = [&](int level, json::parse_event_t event, json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        if (level >= depth)
          throw Error(where + ": expected JSON nested at most " + std::to_string(depth) + " deep, found more");
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        break;
      case json::parse_event_t::key:
        if (!keys.back().insert(parsed.get<std::string>()).second)
          throw Error(where + ": expected each key once, found \"" + parsed.get<std::string>() + "\" twice");
        break;
      case json::parse_event_t::object_end:
        keys.pop_back();
        break;
      default:
        break;
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    throw Error(where + ": expected JSON, found a mistake at byte " + std::to_string(error.byte));
  } catch (const json::out_of_range&) {
    throw Error(where + ": expected numbers that a double can hold, found a larger one");
  }
}

}  // namespace maskrt::graph
