// List programs on a CUDA device: several steps on lists in one launch.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

// The steps. Lists are [B, N, 1, C], channels innermost, fp32 or fp16 as said, all of one batch.

/// out = activation(in weight^T + bias) (linear.h). weight as LinearHead's in fp16; `in` is rounded to fp16, products
/// are accumulated in fp32. in and out fp32 or fp16. Padding channels of out are written as zeros.
struct ListLinear {
  Tensor in;
  const void* weight = nullptr;
  const float* bias = nullptr;  ///< or null
  Activation activation = Activation::none;
  Tensor out;
};
/// out = a + b. a and b fp32, out fp32 or fp16.
struct ListAdd {
  Tensor a, b, out;
};
/// out = layer norm of in (layer_norm.h). in fp32, out fp32 or fp16.
struct ListNorm {
  Tensor in;
  const float *weight = nullptr, *bias = nullptr;
  double epsilon = 0;
  Tensor out;
};
/// out = in. in fp32, out fp32 or fp16.
struct ListCopy {
  Tensor in, out;
};
/// out = attention (attention.h) of queries on keys and values, all [B, .., 1, C], each fp32 or fp16. Queries, keys,
/// values and weights are rounded to fp16; the normaliser is the sum of the rounded weights.
struct ListAttention {
  Tensor queries, keys, values;
  int heads = 1;
  Tensor out;
};
/// out[b, n, c] = in[b, positions[b, n], c], zeros where the position is outside of `in`. in [B, h, w, C], NHWC, fp32
/// or fp16; positions [B, N, 1, 1] in int32; out fp32 or fp16.
struct ListGather {
  Tensor in, positions, out;
};
/// out = what attention_cuda() left in parts (attention_cuda.h), fp32 or fp16.
struct ListFinish {
  const float* parts = nullptr;
  std::int64_t splits = 1;
  int heads = 1;
  std::int64_t key_width = 1;  ///< channels of a head of the queries
  Tensor out;
};
using ListOperation = std::variant<ListLinear, ListAdd, ListNorm, ListCopy, ListAttention, ListGather, ListFinish>;

struct ListProgramStep {
  ListOperation operation;
  /// Whether it reads what a step after the last barrier has written. Between steps that are neither linear nor
  /// attention no barrier is needed where each row n is made of rows n of theirs.
  bool after_barrier = false;
};

/// Steps that one launch takes at most.
std::size_t most_list_steps();

/// Whether a list program can have this step on that chip: of the tensors' `data` only the alignment matters. Expected
/// are a chip of the path sm90a; addresses and rows at multiples of 16 bytes; inputs of linear layers in whole 32
/// channels; other steps' channels in whole fours, at most 512; short activations (activation.h); attention to at most
/// 128 keys by heads of at most 32 channels, a multiple of 8.
bool list_program_takes(const Chip& chip, const ListOperation& operation);

/// Runs the steps in their order in one launch of a cluster of 8 blocks for each image. Sums run in a fixed order. No
/// output may overlap another output or an input but that of a later step. Batch at most 65535. Throws Error for a step
/// that list_program_takes() does not, for none at all and for more than most_list_steps().
void list_program_cuda(CudaQueue& queue, std::span<const ListProgramStep> steps);

/// Seconds that a program should take on that chip: for each step its barrier, the latency of its first loads, and the
/// largest of products, weights' and rows' way from L2. Not measured.
double predicted_list_program_seconds(std::span<const ListProgramStep> steps, const Chip& chip);

}  // namespace maskrt::kernels
