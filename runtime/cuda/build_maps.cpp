// Steps of operations on maps, but for convolutions.
#include <algorithm>

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
    return reinterpret_cast<const float*>(weights_of(what, [&] { return bytes_of(op.scale_shift().*which); }));
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
    kernels::activate_cuda(queue, activation, in.at(addresses), out.at(addresses), graph::kLeakySlope);
  });
}

void ProgramBuilder::activate_in_place(graph::Activation activation, const View& out) {
  step("activate", "elementwise", {out}, {out},
       [=, activation = kernel_activation(activation)](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::activate_cuda(queue, activation, out.at(addresses), out.at(addresses), graph::kLeakySlope);
       });
}

void ProgramBuilder::add(const graph::Add&) {
  const View a = input(0), b = input(1), out = make_output();
  step("add", "elementwise", {a, b}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::add_cuda(queue, a.at(addresses), b.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::MaxPool& op) {
  const View in = input(0), out = make_output();
  step("max_pool", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::max_pool_cuda(queue, {op.kernel, op.stride, op.padding}, in.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::StemPool& op) {
  const View in = input(0), out = make_output();
  require_factors(in);
  // As of convolutions, a norm's factors stay apart from fp16 weights.
  const graph::Constant::ScaledRows& scaled = op.weight->scaled_rows();
  const bool scale = scaled.factors != nullptr;
  kernels::StemWeights weights;
  weights.packed = weights_of("stem", [&] {
    return kernels::pack_stem_weight(op.weight->shape(), (scale ? scaled.rows : op.weight)->evaluate());
  });
  weights.scale = scale ? vector_of("scale", scaled.factors) : nullptr;
  weights.bias = vector_of("bias", op.bias);
  step("stem_pool", "tensor cores", {in}, {out},
       [=, activation = kernel_activation(op.activation)](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::stem_pool_cuda(queue, in.at(addresses), weights, activation, out.at(addresses));
       });
}

void ProgramBuilder::add(const graph::AdaptiveAveragePool&) {
  const View in = input(0), out = make_output();
  step("adaptive_average_pool", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::adaptive_average_pool_cuda(queue, in.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::PyramidPool& op) {
  const View in = input(0);
  require_factors(in);
  std::vector<kernels::PyramidBranch> prepared;
  std::vector<View> outs;
  for (std::size_t i = 0; i < op.branches.size(); ++i) {
    const graph::PyramidPool::Branch& branch = op.branches[i];
    const Shape& stage = branch.stage_weight->shape();
    const std::string stage_name = "stage " + std::to_string(i), name = "branch " + std::to_string(i);
    kernels::PyramidBranch p;
    p.stage_weight = rows_of(stage_name, *branch.stage_weight, kernels::pyramid_weight_stride(stage[1]));
    p.stage_bias = vector_of(stage_name + " bias", branch.stage_bias);
    p.activation = kernel_activation(branch.activation);
    p.hidden = stage[0];
    p.bottleneck_weight = rows_of(name, *branch.weight, kernels::pyramid_weight_stride(stage[0]));
    p.bottleneck_bias = vector_of(name + " bias", branch.bias);
    outs.push_back(make(node().outputs[i]));
    prepared.push_back(p);
  }
  step("pyramid_pool", "one block a cell", {in}, outs, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    std::vector<kernels::PyramidBranch> bound = prepared;
    for (std::size_t i = 0; i < bound.size(); ++i) bound[i].out = outs[i].at(addresses);
    kernels::pyramid_pool_cuda(queue, in.at(addresses), bound);
  });
}

void ProgramBuilder::add(const graph::UpsampleNearest& op) {
  const View in = input(0), out = make_output();
  step("upsample_nearest", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::upsample_nearest_cuda(queue, in.at(addresses), op.factor, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::ResizeBilinear& op) {
  if (op.factor != 0) {
    // Of mask logits, whose pixels are whole sectors, where the head reads them before.
    const bool of_masks = std::find(head_values_.begin(), head_values_.end(), node().inputs[0]) != head_values_.end();
    const View in = input(0), out = of_masks ? make_in_sectors(node().output()) : make_output();
    step("resize_bilinear", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
      kernels::resize_bilinear_factor_cuda(queue, in.at(addresses), op.factor, out.at(addresses));
    });
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
