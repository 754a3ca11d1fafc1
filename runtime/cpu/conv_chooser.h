// Which algorithm computes a convolution fastest here: measured once for each shape.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "aligned_bytes.h"
#include "kernels/conv/conv_cpu.h"

namespace maskrt::cpu {

/// A convolution of one algorithm and how long a run of it takes.
struct ConvChoice {
  std::shared_ptr<const kernels::Convolution> conv;
  kernels::ConvAlgorithm algorithm = kernels::ConvAlgorithm::direct;
  double seconds = 0;
  /// For listings: "winograd fp32".
  std::string name(DataType type) const;
};

/// Chooses by measuring on buffers of the real sizes, the best of three runs, of two where they are long; what a bound
/// already rules out is not run: a direct convolution is no faster than the processor's own rate of multiply-adds,
/// which one small convolution finds out. With MASKRT_CPU_TUNE=0 in the environment nothing is measured and a rule
/// decides, so that two processes always run the same algorithms. Not thread-safe; its owner locks.
class ConvChooser {
 public:
  /// `compares_types`: its owner weighs fp32 against bf16, so that times matter also where there is one algorithm.
  explicit ConvChooser(bool compares_types);

  /// The fastest for a problem whose tensors have these types, made for `threads` threads; the same object each time.
  const ConvChoice& choose(const kernels::ConvProblem& problem, int threads);

  /// False where bf16 arithmetic is so slow here that no convolution can gain by it.
  bool bf16_pays(int threads);

  /// Gives back the memory that measuring took.
  void release_workspace();

  /// Seconds spent measuring so far.
  double measuring_seconds() const { return measuring_seconds_; }

 private:
  struct Time {
    kernels::ConvAlgorithm algorithm = kernels::ConvAlgorithm::free;
    double seconds = 0;
  };
  ConvChoice decide(const kernels::ConvProblem& problem, int threads);
  Time fastest(const kernels::ConvProblem& problem, int threads);
  static Time assumed(const kernels::ConvProblem& problem);
  double measure(const kernels::Convolution& conv);
  /// Multiply-adds, twice, each second, of a direct convolution at its best.
  double rate(DataType type, int threads);

  bool measures_ = true, compares_types_;
  double measuring_seconds_ = 0;
  AlignedBytes workspace_;  // inputs, outputs, weights and scratch of whatever is measured; only zeros, or sums of them
  std::size_t workspace_bytes_ = 0;
  std::map<std::string, ConvChoice> known_;
  std::map<std::string, Time> times_;  // of shapes, whatever their epilogues
  std::map<std::pair<DataType, int>, double> rates_;
};

/// 2 for each multiply-add of a convolution as it is defined.
double conv_flops(const kernels::ConvProblem& problem);

}  // namespace maskrt::cpu
