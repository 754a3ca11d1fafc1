// Parameters of the kernel of list_program_sm90.cu. Read by host and device code.
#pragma once

#include <cstdint>

#include "kernels/activation.h"

namespace maskrt::kernels::cuda {

/// Figures of the kernel. A block has a linear layer's weights 32 columns by 256 elements of depth at a time.
struct ListTile {
  static constexpr int kBlocks = 8;  ///< of a cluster: one image
  static constexpr int kThreads = 256, kWarps = kThreads / 32;
  static constexpr int kRows = kWarps * 16;  ///< of a pass: 16 a warp
  static constexpr int kColumns = 32, kDepth = 256;
  static constexpr int kStages = 4;
  /// Row pitches in shared memory, in halves. Eight lanes that read 16 bytes each of two neighbouring rows meet 32
  /// different banks; of eight rows of values (ldmatrix) all start in different banks.
  static constexpr int kWeightStride = kDepth + 32, kKeyStride = 32, kValueStride = 40;
  static constexpr int kMostKeys = 128, kMostWidth = 32;  ///< of attention: keys, channels of a head
  static constexpr int kMostChannels = 512;               ///< of rows that are added, normed or copied
  static constexpr int kStageBytes = kColumns * kWeightStride * 2 + kColumns * 4;  ///< weights, then biases
  static constexpr int kKeysAt = kStages * kStageBytes, kValuesAt = kKeysAt + kMostKeys * kKeyStride * 2;
  static constexpr int kSharedBytes = kValuesAt + kMostKeys * kValueStride * 2;
};

/// Row n of image b begins at data[b * batch_stride + n * row_stride].
struct ListView {
  void* data;
  std::int32_t batch_stride, row_stride;
};

/// add, norm, copy, gather and finish are steps by rows: a warp has a row.
enum class ListKind : std::int32_t { linear, attention, add, norm, copy, gather, finish };

struct ListStep {
  ListView a;       ///< what is read: rows; queries of attention; pixels of gather; finish: partial results
  ListView b;       ///< add: the other summand; attention: keys; gather: positions, in int32
  ListView values;  ///< attention
  ListView out;
  const void* weight;  ///< linear: fp16 [channels of out, weight_stride]; norm: fp32
  const float* bias;   ///< linear: or null; norm
  ListKind kind;
  std::uint8_t a_f16, b_f16, values_f16, out_f16;  ///< 1: fp16, 0: fp32
  std::uint8_t after_barrier;                      ///< 1: reads what others have written since the last barrier
  std::uint8_t carries;                            ///< 1: the step before has `a` in registers (steps by rows, linear)
  Activation activation;                           ///< linear
  std::int32_t rows, channels;
  std::int32_t keys;                 ///< attention; gather: pixels of an image; finish: splits
  std::int32_t heads;                ///< attention, finish
  std::int32_t out_channels, block;  ///< linear: columns that exist, and that are stored: zeros beyond
  std::int32_t weight_stride;
  float factor;  ///< norm: epsilon; attention, finish: log2(e) / sqrt(channels of a head)
};

struct ListProgramParams {
  static constexpr int kMostSteps = 31;
  ListStep steps[kMostSteps];
  std::int32_t count;
};

}  // namespace maskrt::kernels::cuda
