// The graph's activations in the kernels' words.
#pragma once

#include "graph/graph.h"
#include "kernels/activation.h"

namespace maskrt {

inline kernels::Activation kernel_activation(graph::Activation activation) {
  switch (activation) {
    case graph::Activation::relu:
      return kernels::Activation::relu;
    case graph::Activation::sigmoid:
      return kernels::Activation::sigmoid;
    case graph::Activation::leaky_relu:
      return kernels::Activation::leaky_relu;
    case graph::Activation::gelu:
      return kernels::Activation::gelu;
    case graph::Activation::none:
      break;
  }
  return kernels::Activation::none;
}

}  // namespace maskrt
