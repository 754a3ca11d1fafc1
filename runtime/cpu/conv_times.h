// How long convolutions take on one processor, and by which algorithm: what was measured here or is read from a file.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "kernels/conv/cpu/conv_cpu.h"

namespace maskrt::cpu {

/// The fastest algorithm of a convolution and the seconds of a run of it.
struct ConvTime {
  kernels::ConvAlgorithm algorithm = kernels::ConvAlgorithm::free;
  double seconds = 0;
};

/// A table of times, whatever the convolutions' epilogues, which cost next to nothing. As text, a line for each:
///   cpu PROCESSOR | LAYER | SIZE: ALGORITHM / SECONDS
///   cpu PROCESSOR | THREADS TYPE | rate: direct / RATE
/// PROCESSOR is "AMD EPYC, AVX-512, oneDNN 2.6.3"; LAYER "2 threads fp32 64 block 16 -> fp32 64 block 16 3x3 stride 1
/// padding 1 dilation 1 groups 1"; SIZE that of its input, "1x80x108". RATE is how many multiply-adds, counted twice, a
/// direct convolution does each second at best. Lines of other processors and of GPUs (kernels/conv/cuda/conv_tuning.h)
/// are kept as they are.
class ConvTimes {
 public:
  explicit ConvTimes(std::string processor) : processor_(std::move(processor)) {}
  /// Throws Error that names `file` and the line which is none.
  static ConvTimes parse(std::string_view text, std::string_view file, std::string processor);
  /// What parse() reads, in the order of problems.
  std::string text() const;

  std::optional<ConvTime> find(const kernels::ConvProblem& problem, int threads) const;
  /// Of the same layer on the map whose area is nearest by ratio, in proportion to the area; of two that are as near,
  /// the smaller one. Nothing where the larger area is more than `most_ratio` times the smaller one.
  std::optional<ConvTime> nearest(const kernels::ConvProblem& problem, int threads,
                                  double most_ratio = std::numeric_limits<double>::infinity()) const;
  void set(const kernels::ConvProblem& problem, int threads, const ConvTime& time);

  std::optional<double> rate(DataType type, int threads) const;
  void set_rate(DataType type, int threads, double rate);

  /// Takes over what another table has, in place of what this one has for the same problems.
  void add(const ConvTimes& other);
  /// How many problems have a time on this processor.
  std::size_t size() const { return size_; }
  void clear();

 private:
  struct Entry {
    double area = 0;  ///< of the input, all images together
    ConvTime time;
  };
  using Sizes = std::map<std::string, Entry, std::less<>>;
  void set(const std::string& layer, const std::string& size, const Entry& entry);
  bool read_size(std::string_view problem, const ConvTime& time);

  std::string processor_;
  std::map<std::string, Sizes, std::less<>> layers_;
  std::map<std::string, double, std::less<>> rates_;  // by "2 threads fp32"
  std::set<std::string, std::less<>> others_;         // lines of other processors and devices
  std::size_t size_ = 0;
};

}  // namespace maskrt::cpu
