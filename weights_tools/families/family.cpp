#include "family.h"

#include <variant>

namespace maskrt::weights {

std::string meta_architecture(ConfigReader& config) {
  return config.string("MODEL.META_ARCHITECTURE", "GeneralizedRCNN");
}

std::string width_of(const graph::Graph& graph, std::string_view conv) {
  for (const graph::Node& node : graph.nodes)
    if (const auto* const found = std::get_if<graph::Conv>(&node.operation); found != nullptr && node.name == conv)
      return std::to_string(found->weight->shape()[0]);
  return "?";
}

}  // namespace maskrt::weights
