// A convolution node as one call of an algorithm or as several.
#pragma once

#include "conv_chooser.h"
#include "conv_problems.h"

namespace maskrt::cpu {

enum class ConvSplit : std::uint8_t {
  none,     ///< one call
  groups,   ///< a call for each group, on its channels of the input
  outputs,  ///< calls that each read the whole input and make a share of the outputs
};

/// Equal calls that together compute a convolution.
struct ConvCalls {
  ConvSplit split = ConvSplit::none;
  int count = 1;
  kernels::ConvProblem problem;  ///< of one call
  ConvChoice choice;             ///< of one call
  double seconds() const { return count * choice.seconds; }
};

/// The fastest way, as far as the chooser knows or measures. The images of the input are `in_batch_stride` elements
/// apart; 0 stands for a dense tensor.
ConvCalls choose_calls(const ConvNode& node, DataType in_type, DataType out_type, std::int64_t in_batch_stride,
                       ConvChooser& chooser, int threads);

}  // namespace maskrt::cpu
