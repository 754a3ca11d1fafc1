// Where a program leaves what post-processing reads.
#pragma once

#include "device.h"

namespace maskrt {

struct InstanceBindings {
  const Program::Binding &class_logits, &objectness_logits, &mask_logits;
};

/// The outputs of a program that post-processing reads, found fit for it (graph/instance_outputs.h). Throws Error.
InstanceBindings instance_bindings(const Program& program);

}  // namespace maskrt
