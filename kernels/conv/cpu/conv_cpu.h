// Convolution on oneDNN: one object for a shape, a storage and an algorithm.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kernels/element.h"
#include "kernels/onednn.h"
#include "kernels/conv/conv.h"

namespace maskrt::kernels {

enum class ConvAlgorithm : std::uint8_t {
  direct,    ///< the tensors' own layouts; bf16 or fp32
  winograd,  ///< F(4x4, 3x3): 3x3, stride 1, fp32, blocks of 16. Never chosen by oneDNN itself
  free,      ///< whatever layouts oneDNN likes best: its caller reorders where they are not the tensors'
};

/// What is computed: out = activation(conv(in) + bias (+ what out holds before)).
struct ConvProblem {
  ConvGeometry geometry;
  Tensor in, out;  ///< `data` is not looked at
  bool bias = false, accumulate = false;
  Activation activation = Activation::none;  ///< none or relu

  /// What a call works on: padding channels are channels like any, with zero weights, so they stay zero. (Not so where
  /// channels come in groups, which would move.)
  Tensor whole_blocks(const Tensor& t) const { return geometry.groups == 1 ? padded(t) : t; }
};

/// A convolution that is ready to run. Immutable, so it may run on several threads at once.
class Convolution {
 public:
  /// Null where oneDNN has no such algorithm for the problem, or only its plain reference (but for `free`, which always
  /// gives something, or throws Error). Made for omp_get_max_threads() threads.
  static std::shared_ptr<const Convolution> make(const ConvProblem& problem, ConvAlgorithm algorithm);

  /// oneDNN's name of what make() would give for it; empty for null. Generates no code, which is what takes make() its
  /// time.
  static std::string implementation_of(const ConvProblem& problem, ConvAlgorithm algorithm);

  /// oneDNN's name of what it runs.
  const std::string& implementation() const { return implementation_; }
  /// The layouts that run() expects; those of the tensors unless the algorithm is `free`.
  const dnnl::memory::desc& in_layout() const { return in_layout_; }
  const dnnl::memory::desc& out_layout() const { return out_layout_; }
  /// Convolutions with equal weight layouts share prepared weights.
  const dnnl::memory::desc& weight_layout() const { return weight_layout_; }
  std::size_t weight_bytes() const { return weight_layout_.get_size(); }
  /// Bytes from the first that run() reads (writes) to the last: more than the layout's where the images of a batch do
  /// not lie densely and are worked on one at a time.
  std::size_t in_span() const { return span(in_layout_, problem_.in); }
  std::size_t out_span() const { return span(out_layout_, problem_.out); }
  /// 0 where it needs none.
  std::size_t scratch_bytes() const { return scratch_layout_.get_size(); }

  /// prepared <- weight, [O, I / groups, kh, kw] with the numbers of channels that the network has.
  void prepare(const float* weight, std::int64_t out_channels, std::int64_t group_in_channels, void* prepared) const;

  /// weights: as prepare() made them. bias: one for each channel of `out`, padding included, or null.
  /// All memory aligned to 64 bytes.
  void run(const void* in, const void* weights, const float* bias, void* out, void* scratch) const;

 private:
  Convolution() = default;
  /// Fills in what depends on the problem alone; nothing where there is only the plain reference.
  std::optional<dnnl::convolution_forward::primitive_desc> describe(const ConvProblem& problem, ConvAlgorithm how);
  /// What `work` gives; nothing where oneDNN has no such algorithm. Throws Error where it fails for another reason.
  template <typename Work>
  static auto unless_unimplemented(const ConvProblem& problem, ConvAlgorithm how, const Work& work) -> decltype(work());
  std::size_t span(const dnnl::memory::desc& layout, const Tensor& tensor) const {
    return layout.get_size() + static_cast<std::size_t>((images_ - 1) * tensor.batch_stride) * size_of(tensor.type);
  }
  ConvProblem problem_;
  dnnl::convolution_forward primitive_;
  dnnl::memory::desc in_layout_, out_layout_, weight_layout_, bias_layout_, scratch_layout_;
  std::string implementation_;
  std::int64_t images_ = 1;
};

}  // namespace maskrt::kernels
