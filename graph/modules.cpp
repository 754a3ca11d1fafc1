#include "modules.h"

#include <algorithm>
#include <array>

namespace maskrt::graph {

std::string_view module_of(std::string_view node) {
  // Modules of modules.
  constexpr std::array<std::string_view, 1> containers = {"sem_seg_head"};
  for (;;) {
    const std::size_t dot = node.find('.');
    if (dot == std::string_view::npos || dot == 0) return "other";
    const std::string_view part = node.substr(0, dot);
    if (std::find(containers.begin(), containers.end(), part) == containers.end()) return part;
    node.remove_prefix(dot + 1);
  }
}

}  // namespace maskrt::graph
