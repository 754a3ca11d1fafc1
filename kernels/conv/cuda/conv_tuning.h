// Tuning: the measured fastest kernel of each convolution, by chip.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "conv_cuda.h"

namespace maskrt::kernels {

/// A table of choices, as text one line each:
///   9.0x132 fp16 1x80x108x512 -> 512 3x3 stride 1 padding 1 dilation 1 groups 2 residual 0 fp16: conv_sm90_136x256 / 1
/// Compute capability x multiprocessors, the problem, the kernel's name, the split-K factor. Empty lines and those that
/// begin with # are comments; lines for CPUs (runtime/cpu/conv_times.h) are kept as they are.
class ConvTuning {
 public:
  /// Throws Error that names `file` and the first malformed line.
  static ConvTuning parse(std::string_view text, std::string_view file);
  /// The table as text that parse() reads, sorted by problem.
  std::string text() const;

  void set(const CudaConvProblem& problem, const Chip& chip, const ConvChoice& choice);
  /// The choice for plan_conv(). Returns {-1, 1} where the table has none, or one that this library does not have or
  /// that cannot compute a problem of these alignments.
  ConvChoice find(const CudaConvProblem& problem, const Chip& chip) const;
  std::size_t size() const { return choices_.size(); }
  /// Number of choices that were measured on such a chip.
  std::size_t count_for(const Chip& chip) const;

 private:
  struct Named {
    std::string kernel;
    int splits = 1;
  };
  std::map<std::string, Named, std::less<>> choices_;
  std::set<std::string, std::less<>> of_cpus_;  // lines for CPUs
};

}  // namespace maskrt::kernels
