// Steps of operations on maps, but for convolutions.
#include "kernels/elementwise/elementwise.h"
#include "kernels/iam/iam.h"
#include "kernels/layout/layout.h"
#include "kernels/pool/pool.h"
#include "kernels/resize/resize.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cpu {

void ProgramBuilder::add(const graph::Input& op) {
  make_output({value_type(node().output()), input_block(op.channels)});
}

void ProgramBuilder::add(const graph::BatchNorm& op) {
  const View in = fp32_input(0), out = make_output();
  step("batch_norm", "plain fp32", {in}, {out}, [=, terms = op.scale_shift()](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::scale_shift_cpu(in.at(addresses), terms.scale.data(), terms.shift.data(), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::Activate& op) {
  const View out = make_output();
  const View in = in_format(input(0), {out.tensor.type, out.tensor.block});
  const kernels::Activation activation = kernel_activation(op.activation);
  step("activate", "rows", {in}, {out}, [=](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::activate_cpu(activation, in.at(addresses), out.at(addresses), graph::kLeakySlope);
  });
}

void ProgramBuilder::add(const graph::Add&) {
  const View out = make_output();
  const Format format{out.tensor.type, out.tensor.block};
  const View a = in_format(input(0), format), b = in_format(input(1), format);
  step("add", "rows", {a, b}, {out}, [=](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::add_cpu(a.at(addresses), b.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::MaxPool& op) {
  const View out = make_output();
  const View in = in_format(input(0), {out.tensor.type, out.tensor.block});
  const kernels::Pool pool(kernels::PoolGeometry{op.kernel, op.stride, op.padding}, in.tensor, out.tensor);
  step("max_pool", "direct " + std::string(name_of(out.tensor.type)), {in}, {out},
       [=](const Addresses& addresses) { pool.run(in.at(addresses), out.at(addresses)); });
}

void ProgramBuilder::add(const graph::AveragePool& op) {
  const View out = make_output();
  const View in = in_format(input(0), {out.tensor.type, out.tensor.block});
  const kernels::Pool pool(kernels::AveragePoolGeometry{op.kernel, op.stride}, in.tensor, out.tensor);
  step("average_pool", "direct " + std::string(name_of(out.tensor.type)), {in}, {out},
       [=](const Addresses& addresses) { pool.run(in.at(addresses), out.at(addresses)); });
}

void ProgramBuilder::add(const graph::AdaptiveAveragePool&) {
  const View in = fp32_input(0), out = make_output();
  step("adaptive_average_pool", "rows fp32", {in}, {out}, [=](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::adaptive_average_pool_cpu(in.at(addresses), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::UpsampleNearest& op) {
  const View in = fp32_input(0), out = make_output();
  step("upsample_nearest", "rows fp32", {in}, {out}, [=, factor = op.factor](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::upsample_nearest_cpu(in.at(addresses), factor, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::ResizeBilinear& op) {
  if (op.factor != 0) {
    // Instances are looked at one map at a time afterwards, so each map comes out on its own.
    const View in = fp32_input(0), out = make_output({DataType::f32, 1});
    step("resize_bilinear", "planes fp32", {in}, {out}, [=, factor = op.factor](const Addresses& addresses) {
      kernels::resize_bilinear_factor_cpu(in.at(addresses), factor, out.at(addresses));
    });
    return;
  }
  std::vector<View> inputs;
  for (std::size_t i = 0; i + 1 < node().inputs.size(); ++i) inputs.push_back(fp32_input(i));
  const View out = make_output();
  step("resize_bilinear", "rows fp32", inputs, {out}, [=](const Addresses& addresses) {
    std::vector<kernels::Tensor> bound;
    for (const View& in : inputs) bound.push_back(in.at(addresses));
    kernels::clear_padding(out.at(addresses));
    kernels::resize_bilinear_sum_cpu(bound, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::Concat&) {
  std::vector<View> inputs;
  for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(as_stored(input(i)));
  const View out = make_output();
  step("concat", "rows", inputs, {out}, [=](const Addresses& addresses) {
    const kernels::Tensor target = out.at(addresses);
    kernels::clear_padding(target);
    std::int64_t begin = 0;
    for (const View& in : inputs) {
      kernels::copy_channels_cpu(in.at(addresses), 0, target, begin, in.tensor.channels);
      begin += in.tensor.channels;
    }
  });
}

void ProgramBuilder::add(const graph::Slice& op) {
  const View in = as_stored(input(0));
  const std::int64_t block = in.tensor.block;
  const bool whole_blocks =
      op.begin % block == 0 && (op.count % block == 0 || op.begin + op.count == in.tensor.channels);
  if (whole_blocks && !extent(input(0)).list && block != in.tensor.channels) {
    share(in);
    stored(node().output()).parts = {in.channels(op.begin, op.count)};
    return;
  }
  const View out = make_output({in.tensor.type, block_of(node().output())});
  step("slice", "rows", {in}, {out}, [=, begin = op.begin, count = op.count](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::copy_channels_cpu(in.at(addresses), begin, out.at(addresses), 0, count);
  });
}

void ProgramBuilder::add(const graph::Coordinates&) {
  const View out = make_output();
  step("coordinates", "plain fp32", {}, {out}, [=](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::coordinates_ref(out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::NormaliseMaps& op) {
  const View in = fp32_input(0), out = make_output();
  step("normalise_maps", "plain fp32", {in}, {out}, [=, epsilon = op.epsilon](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::normalise_maps_ref(in.at(addresses), epsilon, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::SoftmaxMaps&) {
  const View in = fp32_input(0), out = make_output();
  step("softmax_maps", "plain fp32", {in}, {out}, [=](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    kernels::softmax_maps_ref(in.at(addresses), out.at(addresses));
  });
}

}  // namespace maskrt::cpu
