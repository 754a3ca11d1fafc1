// Steps of operations that make or read lists of vectors.
#include "kernels/iam/iam.h"
#include "kernels/layout/layout.h"
#include "kernels/linear/linear_cpu.h"
#include "kernels/mask_head/mask_product.h"
#include "kernels/regroup/regroup.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cpu {

void ProgramBuilder::aggregate(kernels::MapWeights weights, double epsilon) {
  // The maps may lie in parts: here alone nobody minds.
  std::vector<View> maps = stored(input(0)).parts;
  if (maps.front().tensor.type != DataType::f32 || maps.front().tensor.block != block_of(input(0)))
    maps = {fp32_input(0)};
  const View features = fp32_input(1), out = make_output();
  std::vector<View> reads = maps;
  reads.push_back(features);
  step(std::string(graph::name_of(node().operation)), "tiles fp32", reads, {out}, [=](const Addresses& addresses) {
    std::vector<kernels::Tensor> bound;
    for (const View& part : maps) bound.push_back(part.at(addresses));
    kernels::aggregate_cpu(bound, features.at(addresses), weights, epsilon, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::Aggregate&) { aggregate(kernels::MapWeights::plain, 0); }

void ProgramBuilder::add(const graph::AggregateLogits& op) {
  aggregate(op.softmax ? kernels::MapWeights::softmax : kernels::MapWeights::sigmoid, op.epsilon);
}

void ProgramBuilder::add(const graph::Regroup& op) {
  const View in = fp32_input(0), out = make_output();
  step("regroup", "rows fp32", {in}, {out}, [=](const Addresses& addresses) {
    kernels::regroup_cpu(in.at(addresses), op.blocks, op.instances, out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::Linear& op) {
  const View in = fp32_input(0), out = make_output();
  const kernels::Linear linear(in.tensor.batch * in.tensor.height, in.tensor.channels, out.tensor.channels,
                               op.bias != nullptr, kernel_activation(op.activation));
  const AlignedBytes weights = weight_parts(WeightStore::Part::weights, linear.weight_layout(), 1, *op.weight,
                                            [linear, constant = op.weight](const std::vector<std::byte*>& to) {
                                              linear.prepare(constant->evaluate().data(), to[0]);
                                            })
                                   .front();
  const AlignedBytes bias = padded_vectors(op.bias, 1, out.tensor.channels).front();
  const View scratch = new_scratch(linear.scratch_bytes());
  step("linear", "gemm fp32", {in, scratch}, {out, scratch}, [=](const Addresses& addresses) {
    linear.run(in.address(addresses), weights.get(), reinterpret_cast<const float*>(bias.get()), out.address(addresses),
               scratch.address(addresses));
  });
}

void ProgramBuilder::add(const graph::MaskProduct& op) {
  const View kernels = fp32_input(0), features = fp32_input(1), out = make_output();
  const kernels::MaskProduct product(features.tensor, op.offset, out.tensor);
  const View scratch = new_scratch(product.scratch_bytes());
  step("mask_product", "direct fp32", {kernels, features, scratch}, {out, scratch}, [=](const Addresses& addresses) {
    product.run(kernels.at(addresses), features.at(addresses), out.at(addresses), scratch.address(addresses));
  });
}

void ProgramBuilder::add(const graph::ConcatRows&) {
  std::vector<View> inputs;
  for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(fp32_input(i));
  const View out = make_output();
  step("concat_rows", "rows", inputs, {out}, [=](const Addresses& addresses) {
    const kernels::Tensor target = out.at(addresses);
    std::int64_t begin = 0;
    for (const View& in : inputs) {
      kernels::copy_rows_cpu(in.at(addresses), 0, target, begin, in.tensor.height);
      begin += in.tensor.height;
    }
  });
}

void ProgramBuilder::add(const graph::SliceRows& op) {
  const View in = fp32_input(0);
  // Kernels of lists take rows that follow one another, from image to image too. Callers find outputs in the arena.
  const bool adjacent = in.tensor.batch == 1 || op.count == in.tensor.height;
  if (adjacent && (in.prepared == nullptr || !graph_.is_output(node().output()))) {
    if (in.prepared == nullptr) share(in);
    stored(node().output()).parts = {in.rows(op.begin, op.count)};
    return;
  }
  const View out = make_output();
  step("slice_rows", "rows", {in}, {out}, [=, begin = op.begin, count = op.count](const Addresses& addresses) {
    kernels::copy_rows_cpu(in.at(addresses), begin, out.at(addresses), 0, count);
  });
}

}  // namespace maskrt::cpu
