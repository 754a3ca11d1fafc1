// Parameters of the kernels of layer_norm.cu.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

constexpr int kLayerNormThreads = 256;
/// Vectors of 16 bytes that each lane of a position holds in registers, in the kernels for few and for many channels.
constexpr int kFewNormVectors = 2, kManyNormVectors = 8;

/// Floats from one row of staged weights or biases to the next, each with a four of every vector: neighbouring rows
/// begin in different halves of the banks.
constexpr int norm_row_pitch(int vectors) { return (vectors * 4 + 15) / 32 * 32 + 16; }

struct LayerNormParams {
  Map in, out;
  const float* weight;
  const float* bias;
  float inverse_channels;  ///< 1 / channels
  float epsilon;
  float slope;  ///< negative slope of leaky ReLU
  Activation activation;
  // Not of layer_norm_any:
  std::int32_t lanes_log2;  ///< logarithm of the lanes of one position, at most 5
  std::int32_t passes;      ///< positions that each group of lanes computes, one after the other
};

}  // namespace maskrt::kernels::cuda
