// A convolution node as one call of an algorithm or as several.
#pragma once

#include <vector>

#include "conv_chooser.h"
#include "conv_problems.h"

namespace maskrt::cpu {

enum class ConvSplit : std::uint8_t {
  none,     ///< one call
  groups,   ///< a call for each group, on its channels of the input
  outputs,  ///< calls that each read the whole input and make a share of the outputs
  inputs,   ///< calls that each read a share of the input's channels and, from the second on, add to the same outputs
};

/// Calls that together compute a convolution: equal ones, but for the epilogues where inputs are split.
struct ConvCalls {
  ConvSplit split = ConvSplit::none;
  kernels::ConvProblem problem;  ///< of the first call
  std::vector<ConvChoice> choices;
  int count() const { return static_cast<int>(choices.size()); }
  double seconds() const;
};

/// The fastest way, as far as the chooser knows or measures. The images of the input are `in_batch_stride` elements
/// apart; 0 stands for a dense tensor.
ConvCalls choose_calls(const ConvNode& node, DataType in_type, DataType out_type, std::int64_t in_batch_stride,
                       ConvChooser& chooser, int threads);

}  // namespace maskrt::cpu
