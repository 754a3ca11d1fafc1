#include <algorithm>
#include <cstring>

#include "kernels/conv/cpu/conv_cpu.h"
#include "kernels/element.h"
#include "mask_product.h"

namespace maskrt::kernels {
namespace {

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

struct MaskProduct::Parts {
  std::shared_ptr<const Convolution> conv;
  std::shared_ptr<const onednn::Reorder> pack;     // [N, K] to the convolution's weights
  std::shared_ptr<const onednn::Reorder> in, out;  // null where the convolution takes the tensors as they are
  bool offset = false;
  // Where each thing lies in the scratch.
  std::size_t plain = 0, weights = 0, bias = 0, in_copy = 0, out_copy = 0, conv_scratch = 0, bytes = 0;
};

MaskProduct::MaskProduct(const Tensor& features, bool offset, const Tensor& out) {
  auto parts = std::make_shared<Parts>();
  ConvProblem problem;
  problem.in = image_of(features, 0);
  problem.out = image_of(out, 0);
  problem.bias = true;
  parts->offset = offset;
  parts->conv = Convolution::make(problem, ConvAlgorithm::direct);
  if (parts->conv == nullptr) parts->conv = Convolution::make(problem, ConvAlgorithm::free);
  const dnnl::memory::desc from = onednn::layout_of(padded(problem.in)), to = onednn::layout_of(padded(problem.out));
  if (parts->conv->in_layout() != from) parts->in = std::make_shared<onednn::Reorder>(from, parts->conv->in_layout());
  if (parts->conv->out_layout() != to) parts->out = std::make_shared<onednn::Reorder>(parts->conv->out_layout(), to);
  const std::int64_t rows = out.blocks() * out.block, columns = features.blocks() * features.block;
  parts->pack = std::make_shared<onednn::Reorder>(
      dnnl::memory::desc({rows, columns, 1, 1}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::oihw),
      parts->conv->weight_layout());
  std::size_t end = 0;
  const auto place = [&](std::size_t bytes) {
    const std::size_t at = end;
    end += aligned(bytes);
    return at;
  };
  parts->plain = place(static_cast<std::size_t>(rows * columns) * sizeof(float));
  parts->weights = place(parts->conv->weight_bytes());
  parts->bias = place(static_cast<std::size_t>(rows) * sizeof(float));
  if (parts->in) parts->in_copy = place(parts->conv->in_layout().get_size());
  if (parts->out) parts->out_copy = place(parts->conv->out_layout().get_size());
  parts->conv_scratch = place(parts->conv->scratch_bytes());
  parts->bytes = end;
  parts_ = std::move(parts);
}

std::size_t MaskProduct::scratch_bytes() const { return parts_->bytes; }

void MaskProduct::run(const Tensor& kernels, const Tensor& features, const Tensor& out, void* scratch) const {
  const Parts& p = *parts_;
  auto* base = static_cast<std::byte*>(scratch);
  auto* plain = reinterpret_cast<float*>(base + p.plain);
  auto* bias = reinterpret_cast<float*>(base + p.bias);
  const std::int64_t rows = out.blocks() * out.block, columns = features.blocks() * features.block;
  for (std::int64_t b = 0; b < out.batch; ++b) {
    std::fill_n(plain, rows * columns, 0.0f);
    std::fill_n(bias, rows, 0.0f);
    for (std::int64_t n = 0; n < out.channels; ++n) {
      std::copy_n(kernels.as<float>() + kernels.index(b, n, 0, 0), features.channels, plain + n * columns);
      if (p.offset) bias[n] = kernels.as<float>()[kernels.index(b, n, 0, features.channels)];
    }
    p.pack->run(plain, base + p.weights);
    const void* from = image_of(features, b).data;
    void* to = image_of(out, b).data;
    if (p.in) p.in->run(from, base + p.in_copy);
    p.conv->run(p.in ? base + p.in_copy : from, base + p.weights, bias, p.out ? base + p.out_copy : to,
                base + p.conv_scratch);
    if (p.out) p.out->run(base + p.out_copy, to);
  }
}

}  // namespace maskrt::kernels
