#include "instance_bindings.h"

#include "graph/instance_outputs.h"

namespace maskrt {

InstanceBindings instance_bindings(const Program& program) {
  graph::check_instance_outputs([&](const char* name) -> const graph::Extent* {
    const auto found = program.outputs.find(name);
    return found == program.outputs.end() ? nullptr : &found->second.extent;
  });
  return {program.outputs.at("class_logits"), program.outputs.at("objectness_logits"),
          program.outputs.at("mask_logits")};
}

}  // namespace maskrt
