// Which algorithm computes a convolution fastest here: measured once for each shape.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aligned_bytes.h"
#include "conv_times.h"
#include "kernels/conv/cpu/conv_cpu.h"

namespace maskrt::cpu {

/// A convolution of one algorithm and how long a run of it takes.
struct ConvChoice {
  std::shared_ptr<const kernels::Convolution> conv;
  kernels::ConvAlgorithm algorithm = kernels::ConvAlgorithm::direct;
  double seconds = 0;
  /// For listings: "winograd fp32".
  std::string name(DataType type) const;
};

/// Chooses by times: known ones, measured ones, or those that a rule assumes. Measures on buffers of the real sizes,
/// the best of three runs, of two where they are long; what a bound already rules out is not run: a direct convolution
/// is no faster than the processor's own rate of multiply-adds, which one small convolution finds out. Not thread-safe;
/// its owner locks.
class ConvChooser {
 public:
  enum class Measuring : std::uint8_t {
    never,  ///< what the table lacks is taken from the layer's nearest size there, and otherwise a rule decides
    /// What the table has neither for this size nor for one of a quarter to four times the area, as far as no bound
    /// decides; the start.
    unknown,
    all,  ///< the same without bounds: for a table that others take
  };

  /// `compares_types`: its owner weighs fp32 against bf16, so that times matter also where there is one algorithm.
  /// With MASKRT_CPU_TUNE=0 in the environment it starts with Measuring::never.
  explicit ConvChooser(bool compares_types);

  void set_measuring(Measuring measuring) { measuring_ = measuring; }
  /// Takes these times, measured earlier, in place of its own.
  void use(ConvTimes times);
  const ConvTimes& times() const { return times_; }

  /// The fastest for a problem whose tensors have these types, made for `threads` threads; the same object each time
  /// as long as somebody holds it.
  ConvChoice choose(const kernels::ConvProblem& problem, int threads);
  /// That algorithm, or the next that there is where it cannot compute the problem.
  ConvChoice choose(const kernels::ConvProblem& problem, int threads, const ConvTime& time);

  /// False where bf16 arithmetic is so slow here that no convolution can gain by it.
  bool bf16_pays(int threads);

  /// Multiply-adds, twice, each second, of a direct convolution at its best.
  double rate(DataType type, int threads);

  bool measures() const { return measuring_ != Measuring::never; }

  /// Gives back the memory that measuring took.
  void release_workspace();
  /// Ends a round of choices: lets go of the convolutions that nobody has taken, and forgets times beyond what a
  /// hundred sizes of a network need.
  void finish();

  /// Seconds spent measuring so far.
  double measuring_seconds() const { return measuring_seconds_; }

 private:
  ConvTime time_of(const kernels::ConvProblem& problem, int threads);
  ConvTime fastest(const kernels::ConvProblem& problem, int threads);
  static ConvTime assumed(const kernels::ConvProblem& problem);
  std::shared_ptr<const kernels::Convolution> make(const kernels::ConvProblem& problem, int threads,
                                                   kernels::ConvAlgorithm algorithm);
  double measure(const kernels::Convolution& conv);
  Measuring measuring_ = Measuring::unknown;
  bool compares_types_;
  double measuring_seconds_ = 0;
  AlignedBytes workspace_;  // inputs, outputs, weights and scratch of whatever is measured; only zeros, or sums of them
  std::size_t workspace_bytes_ = 0;
  ConvTimes times_;
  /// What sizes that were not measured took from others: they keep it when a nearer size is measured, so that all
  /// sessions of a model compute a size alike, whichever of them made its plan first.
  ConvTimes borrowed_;
  std::map<std::string, std::weak_ptr<const kernels::Convolution>> made_;
  std::vector<std::shared_ptr<const kernels::Convolution>> held_;  // until the round ends
};

/// 2 for each multiply-add of a convolution as it is defined.
double conv_flops(const kernels::ConvProblem& problem);

}  // namespace maskrt::cpu
