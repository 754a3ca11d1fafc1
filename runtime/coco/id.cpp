#include "id.h"

#include <nlohmann/json.hpp>

namespace maskrt::coco {

std::string Id::described() const {
  constexpr std::size_t longest = 80;
  if (!is_text()) return std::to_string(number_);
  const std::string text = nlohmann::json(this->text()).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > longest ? text.substr(0, longest) + "..." : text;
}

}  // namespace maskrt::coco
