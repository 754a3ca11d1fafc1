// Steps of operations on maps, but for convolutions.
#include "kernels/elementwise/elementwise_cuda.h"
#include "kernels/iam/iam_cuda.h"
#include "kernels/layout/layout_cuda.h"
#include "kernels/pool/average_pool_cuda.h"
#include "kernels/pool/max_pool_cuda.h"
#include "kernels/ppm/ppm_cuda.h"
#include "kernels/resize/resize_cuda.h"
#include "kernels/stem/stem_pool_cuda.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {

/// Pixels of 4 channels: the stem reads two of them at a time.
void ProgramBuilder::add(const graph::Input& op) {
  make_in_blocks(node().output(), op.channels <= 4 ? 4 : (op.channels + 7) / 8 * 8);
}

void ProgramBuilder::add(const graph::BatchNorm& op) {
  const auto terms = [&](const char* what, std::vector<float> graph::BatchNorm::ScaleShift::*which) {
    return reinterpret_cast<const float*>(
        weights_.get(std::to_string(node_) + " " + what, [&] { return bytes_of(op.scale_shift().*which); }));
  };
  const float* scale = terms("scale", &graph::BatchNorm::ScaleShift::scale);
  const float* shift = terms("shift", &graph::BatchNorm::ScaleShift::shift);
  const View in = input(0), out = make_output();
  step("batch_norm", "elementwise", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::scale_shift_cuda(queue, in.at(addresses), scale, shift, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::Activate& op) {
  const View in = input(0), out = make_output();
  const kernels::Activation activation = kernel_activation(op.activation);
  step("activate", "elementwise", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::activate_cuda(queue, activation, in.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::Add&) {
  const View a = input(0), b = input(1), out = make_output();
  step("add", "elementwise", {a, b}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::add_cuda(queue, a.at(addresses), b.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::MaxPool& op) {
  if (const auto stem = fusions_.pooled_stem.find(node_); stem != fusions_.pooled_stem.end())
    return add_stem(stem->second);
  const View in = input(0), out = make_output();
  step("max_pool", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::max_pool_cuda(queue, {op.kernel, op.stride, op.padding}, in.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add_stem(int conv) {
  const auto& op = std::get<graph::Conv>(node(conv).operation);
  const View in = stored(node(conv).inputs[0]), out = make_output();
  const graph::Constant::ScaledRows& scaled = op.weight->scaled_rows();
  const bool scale = scaled.factors != nullptr;
  kernels::StemWeights weights;
  weights.packed = weights_.get(std::to_string(conv) + " stem", [&] {
    return kernels::pack_stem_weight(op.weight->shape(), (scale ? scaled.rows : op.weight)->evaluate());
  });
  weights.scale = scale ? vector_of(conv, "scale", scaled.factors) : nullptr;
  weights.bias = vector_of(conv, "bias", op.bias);
  step("stem_pool", "tensor cores", {in}, {out},
       [=, activation = kernel_activation(op.activation)](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::stem_pool_cuda(queue, in.at(addresses), weights, activation, out.at(addresses));
       },
       {conv, node_});
}

void ProgramBuilder::add(const graph::AdaptiveAveragePool&) {
  if (const auto found = fusions_.pyramid.find(node_); found != fusions_.pyramid.end())
    return add_pyramid(found->second);
  const View in = input(0), out = make_output();
  step("adaptive_average_pool", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::adaptive_average_pool_cuda(queue, in.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add_pyramid(const std::vector<PyramidNodes>& branches) {
  const View in = input(0);
  require_factors(in);
  std::vector<kernels::PyramidBranch> prepared;
  std::vector<View> outs;
  std::vector<int> nodes;
  for (const PyramidNodes& branch : branches) {
    const auto& stage = std::get<graph::Conv>(node(branch.stage).operation);
    const auto& bottleneck = std::get<graph::Conv>(node(branch.bottleneck).operation);
    const Shape& a = stage.weight->shape();
    const Shape& b = bottleneck.weight->shape();
    kernels::PyramidBranch p;
    p.stage_weight =
        rows_of(branch.stage, *stage.weight, a[0], a[1], kernels::pyramid_weight_stride(a[1]), factor_type());
    p.stage_bias = vector_of(branch.stage, "bias", stage.bias);
    p.activation = kernel_activation(stage.activation);
    p.hidden = a[0];
    p.bottleneck_weight =
        rows_of(branch.bottleneck, *bottleneck.weight, b[0], b[1], kernels::pyramid_weight_stride(b[1]), factor_type());
    p.bottleneck_bias = vector_of(branch.bottleneck, "bias", bottleneck.bias);
    outs.push_back(make(node(branch.bottleneck).output()));
    prepared.push_back(p);
    nodes.insert(nodes.end(), {branch.pool, branch.stage, branch.bottleneck});
  }
  step(
      "pyramid_pool", "one block a cell", {in}, outs,
      [=](const Addresses& addresses, kernels::CudaQueue& queue) {
        std::vector<kernels::PyramidBranch> bound = prepared;
        for (std::size_t i = 0; i < bound.size(); ++i) bound[i].out = outs[i].at(addresses);
        kernels::pyramid_pool_cuda(queue, in.at(addresses), bound);
      },
      nodes);
}

void ProgramBuilder::add(const graph::UpsampleNearest& op) {
  const View in = input(0), out = make_output();
  step("upsample_nearest", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::upsample_nearest_cuda(queue, in.at(addresses), op.factor, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::ResizeBilinear& op) {
  if (op.factor != 0) {
    const bool last = node_ == fusions_.last_resize;  // of mask logits, whose pixels are whole sectors
    const View in = input(0), out = last ? make_in_sectors(node().output()) : make_output();
    step("resize_bilinear", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
      kernels::resize_bilinear_factor_cuda(queue, in.at(addresses), op.factor, out.at(addresses));
    });
    if (last) program_.steps.back().redone_by_postprocess = true;
    return;
  }
  std::vector<View> inputs;
  for (std::size_t i = 0; i + 1 < node().inputs.size(); ++i) inputs.push_back(input(i));
  const View out = make_output();
  step("resize_bilinear", "direct", inputs, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    std::vector<kernels::Tensor> bound;
    for (const View& in : inputs) bound.push_back(in.at(addresses));
    kernels::resize_bilinear_sum_cuda(queue, bound, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::Concat&) {
  std::vector<View> inputs;
  for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(input(i));
  const View out = make_output();
  step("concat", "channel copies", inputs, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    std::int64_t begin = 0;
    for (const View& in : inputs) {
      kernels::copy_channels_cuda(queue, in.at(addresses), 0, out.at(addresses), begin, in.tensor.channels);
      begin += in.tensor.channels;
    }
  });
}

void ProgramBuilder::add(const graph::Slice& op) {
  const View in = input(0);
  // A view, where vectors of 8 channels stay whole: nothing moves.
  const bool same_type = value_type(node().output()) == in.tensor.type;
  if (same_type && !extent(node().inputs[0]).list && op.begin % 8 == 0 && op.count % 8 == 0) {
    share(in);
    stored(node().output()) = in.channels(op.begin, op.count);
    return;
  }
  const View out = make_output();
  step("slice", "channel copy", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::copy_channels_cuda(queue, in.at(addresses), op.begin, out.at(addresses), 0, op.count);
  });
}

void ProgramBuilder::add(const graph::Coordinates&) {
  const View out = make_output();
  step("coordinates", "direct", {}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::coordinates_cuda(queue, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::NormaliseMaps& op) {
  const View in = input(0), out = make_output();
  const View workspace = scratch(kernels::normalise_maps_workspace_bytes(chip_, in.tensor));
  step("normalise_maps", "two passes", {in, workspace}, {out, workspace},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::normalise_maps_cuda(queue, in.at(addresses), op.epsilon, workspace.address(addresses),
                                      out.at(addresses));
       });
}

void ProgramBuilder::add(const graph::SoftmaxMaps&) {
  const View in = input(0), out = make_output();
  const View workspace = scratch(kernels::normalise_maps_workspace_bytes(chip_, in.tensor));
  step("softmax_maps", "two passes", {in, workspace}, {out, workspace},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::softmax_maps_cuda(queue, in.at(addresses), workspace.address(addresses), out.at(addresses));
       });
}

}  // namespace maskrt::cuda
