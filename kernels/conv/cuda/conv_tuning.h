// Which kernel a convolution takes on one chip, from measurements.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "conv_cuda.h"

namespace maskrt::kernels {

/// A table of choices, as text one line each:
///   9.0x132 fp16 1x80x108x512 -> 512 3x3 stride 1 padding 1 dilation 1 groups 2 residual 0 fp16: conv_sm90_136x256 / 1
/// Compute capability and multiprocessors, the problem, the kernel's name, the parts of the sum. Lines that begin with
/// # and empty ones say nothing; what a file holds for CPUs (runtime/cpu/conv_times.h) is kept as it is.
class ConvTuning {
 public:
  /// Throws Error that names `file` and the line that is none.
  static ConvTuning parse(std::string_view text, std::string_view file);
  /// What parse() reads, in the order of problems.
  std::string text() const;

  void set(const CudaConvProblem& problem, const Chip& chip, const ConvChoice& choice);
  /// The choice for plan_conv(), or {-1, 1} where there is none, or one that this library no longer has, or one that
  /// cannot compute a problem with these alignments.
  ConvChoice find(const CudaConvProblem& problem, const Chip& chip) const;
  std::size_t size() const { return choices_.size(); }
  /// Of the choices, those measured on such a chip.
  std::size_t count_for(const Chip& chip) const;

 private:
  struct Named {
    std::string kernel;
    int splits = 1;
  };
  std::map<std::string, Named, std::less<>> choices_;
  std::set<std::string, std::less<>> of_cpus_;  // lines
};

}  // namespace maskrt::kernels
