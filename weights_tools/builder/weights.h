// A model builder's view of its weights: it asks for each tensor by name with the shape it expects, and learns of all
// that is missing or misshapen at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "graph/constant.h"
#include "weight_source.h"

namespace maskrt::weights {

/// One extent that a builder expects.
struct Dim {
  Dim(std::int64_t value, std::string why = {}) : extent(value), note(std::move(why)) {}  // NOLINT: an extent is a Dim

  std::int64_t extent;  ///< kUnknown where the tensor that decides it is missing
  bool free = false;    ///< the tensor decides; `extent` is what the config says, which a generator follows
  std::string note;     ///< who says so, for the error: "MODEL.SPARSE_INST.DECODER.NUM_CLASSES"
};

inline constexpr std::int64_t kUnknown = -1;

/// A width, which the checkpoint's tensors decide.
inline Dim width(std::int64_t configured) {
  Dim dim(configured);
  dim.free = true;
  return dim;
}

/// Collects what a network reads from a source, and what is wrong with it. One network's builder at a time.
class Weights {
 public:
  explicit Weights(std::shared_ptr<const WeightSource> source) : source_(std::move(source)) {}

  /// The tensor. Where it is missing or has another shape, that is remembered and a stand-in is returned, whose extents
  /// are the expected ones (kUnknown where only the tensor could tell), so that building goes on and finds the rest.
  /// `fill` says what a generator makes of it.
  graph::ConstantPtr tensor(const std::string& name, const std::vector<Dim>& expected, const Fill& fill);
  /// The same for a tensor whose numbers do not matter: it has to be there, but is no part of the network.
  void expect(const std::string& name, const std::vector<Dim>& expected);
  /// A tensor that belongs to another network than the config says; `why` completes "which ...".
  void expect_absent(const std::string& name, const std::string& why);

  bool contains(const std::string& name) const { return source_->contains(name); }
  /// An extent of a tensor, or `fallback` where there is none such.
  std::int64_t extent_of(const std::string& name, std::size_t axis, std::int64_t fallback) const;
  /// Remembers a problem, a sentence without its full stop.
  void report(std::string problem) { problems_.push_back(std::move(problem)); }
  /// Throws one Error that lists the problems, if there are any: at most `most` of them. Where tensors are missing it
  /// says, too, what the source has that nobody asked for.
  void check(std::size_t most) const;

  /// The network's tensors, in the order they were asked for.
  const std::vector<TensorRequest>& tensors() const { return tensors_; }
  /// Every name that was asked for: of the network's tensors, and of those that only have to be there.
  const std::vector<std::string>& names() const { return names_; }

 private:
  Shape resolve(const std::string& name, const std::vector<Dim>& expected);
  std::string describe_unasked() const;

  std::shared_ptr<const WeightSource> source_;
  std::vector<TensorRequest> tensors_;
  std::vector<std::string> names_, problems_, missing_;
};

}  // namespace maskrt::weights
