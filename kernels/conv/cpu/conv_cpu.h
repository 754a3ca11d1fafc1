// Convolution on oneDNN: one object for each shape, memory layout and algorithm.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kernels/conv/conv.h"
#include "kernels/cpu/onednn.h"
#include "kernels/element.h"

namespace maskrt::kernels {

enum class ConvAlgorithm : std::uint8_t {
  direct,  ///< direct convolution in the tensors' own layouts; bf16 or fp32
  /// F(4x4, 3x3): 3x3, stride 1, fp32, blocks of 16. oneDNN never chooses it by itself. Of activations its epilogue has
  /// ReLU alone.
  winograd,
  free,  ///< the layouts that oneDNN prefers (format_tag::any): the caller reorders where the tensors' differ
};

/// out = activation(conv(in) + bias), or with `accumulate` out = activation(out + conv(in) + bias).
struct ConvProblem {
  ConvGeometry geometry;
  Tensor in, out;  ///< `data` is ignored
  bool bias = false, accumulate = false;
  Activation activation = Activation::none;  ///< any but sigmoid
  float slope = 0;                           ///< negative slope of leaky ReLU

  /// The tensor that oneDNN computes on: padding channels are computed like any other, with zero weights, so they
  /// remain zero. Grouped convolutions keep their channels, since padding would shift the groups.
  Tensor whole_blocks(const Tensor& t) const { return geometry.groups == 1 ? padded(t) : t; }
};

/// A convolution that is ready to run. Immutable: several threads may run it at a time.
class Convolution {
 public:
  /// Returns null where oneDNN has no such algorithm for the problem, or only its reference implementation. With `free`
  /// it never returns null, and throws Error where oneDNN fails. Created for omp_get_max_threads() threads.
  static std::shared_ptr<const Convolution> make(const ConvProblem& problem, ConvAlgorithm algorithm);

  /// oneDNN's name of the implementation that make() would return; empty where it would return null. Skips the code
  /// generation, which takes most of make()'s time.
  static std::string implementation_of(const ConvProblem& problem, ConvAlgorithm algorithm);

  /// The problem's activation where the algorithm's epilogue does not have it: the caller applies it to the outputs.
  Activation activation_left() const { return activation_left_; }
  /// oneDNN's name of the implementation.
  const std::string& implementation() const { return implementation_; }
  /// The layouts that run() expects; those of the tensors unless the algorithm is `free`.
  const dnnl::memory::desc& in_layout() const { return in_layout_; }
  const dnnl::memory::desc& out_layout() const { return out_layout_; }
  /// Convolutions with equal weight layouts share prepared weights.
  const dnnl::memory::desc& weight_layout() const { return weight_layout_; }
  std::size_t weight_bytes() const { return weight_layout_.get_size(); }
  /// Bytes from the first byte that run() reads (in_span) or writes (out_span) to the last. More than the layout's
  /// where the images of a batch are not dense and are computed one at a time.
  std::size_t in_span() const { return span(in_layout_, problem_.in); }
  std::size_t out_span() const { return span(out_layout_, problem_.out); }
  /// 0 where it needs none.
  std::size_t scratch_bytes() const { return scratch_layout_.get_size(); }

  /// prepared <- weight [O, I / groups, kh, kw], with the channel counts of the network, in weight_layout().
  void prepare(const float* weight, std::int64_t out_channels, std::int64_t group_in_channels, void* prepared) const;

  /// weights: written by prepare(). bias: one for each channel of `out`, padding channels included, or null. All
  /// addresses are aligned to 64 bytes.
  void run(const void* in, const void* weights, const float* bias, void* out, void* scratch) const;

 private:
  Convolution() = default;
  /// Sets problem_ and implementation_ and returns the primitive's descriptor; nullopt where oneDNN has only its
  /// reference implementation.
  std::optional<dnnl::convolution_forward::primitive_desc> describe(const ConvProblem& problem, ConvAlgorithm how);
  /// Returns the result of `work`, or an empty one where oneDNN reports the algorithm as unimplemented. Throws Error
  /// where it fails for another reason.
  template <typename Work>
  static auto unless_unimplemented(const ConvProblem& problem, ConvAlgorithm how, const Work& work) -> decltype(work());
  std::size_t span(const dnnl::memory::desc& layout, const Tensor& tensor) const {
    return layout.get_size() + static_cast<std::size_t>((images_ - 1) * tensor.batch_stride) * size_of(tensor.type);
  }
  ConvProblem problem_;
  dnnl::convolution_forward primitive_;
  dnnl::memory::desc in_layout_, out_layout_, weight_layout_, bias_layout_, scratch_layout_;
  std::string implementation_;
  Activation activation_left_ = Activation::none;
  std::int64_t images_ = 1;
};

}  // namespace maskrt::kernels
