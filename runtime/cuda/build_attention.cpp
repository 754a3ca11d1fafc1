// Steps of norms, and of what transformers add to convolutions.
#include "kernels/attention/attention_cuda.h"
#include "kernels/norm/group_norm_cuda.h"
#include "kernels/norm/layer_norm_cuda.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {

void ProgramBuilder::add(const graph::GroupNorm& op) {
  const View in = input(0), out = make_output();
  const float* weight = vector_of("weight", op.weight);
  const float* bias = vector_of("bias", op.bias);
  step("group_norm", "slabs in shared memory", {in}, {out},
       [=, groups = op.groups, epsilon = op.epsilon, activation = kernel_activation(op.activation)](
           const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::group_norm_cuda(queue, in.at(addresses), weight, bias, groups, epsilon, activation, out.at(addresses),
                                  graph::kLeakySlope);
       });
}

void ProgramBuilder::add(const graph::LayerNorm& op) {
  if (stored(node().output()).buffer >= 0) return;  // the convolution before has it
  const View in = input(0), out = make_output();
  const float* weight = vector_of("weight", op.weight);
  const float* bias = vector_of("bias", op.bias);
  step("layer_norm", "two passes in registers", {in}, {out},
       [=, epsilon = op.epsilon, activation = kernel_activation(op.activation)](const Addresses& addresses,
                                                                                kernels::CudaQueue& queue) {
         kernels::layer_norm_cuda(queue, in.at(addresses), weight, bias, epsilon, activation, out.at(addresses),
                                  graph::kLeakySlope);
       });
}

void ProgramBuilder::add(const graph::Attention& op) {
  const graph::ValueId output = node().output();
  const View queries = input(0), keys = input(1), values = input(2);
  const View masks = op.masked ? input(3) : View{};
  const kernels::Tensor planned_masks = masks.planned();
  const kernels::Tensor* const masked_by = op.masked ? &planned_masks : nullptr;
  const graph::Extent& e = extent(output);
  View out;
  out.tensor = kernels::dense(nullptr, value_type(output), e.batch, e.height, e.width, e.channels, block_of(output));
  const kernels::AttentionParts parts = kernels::attention_parts(queries.planned(), keys.planned(), values.planned(),
                                                                 op.heads, out.planned(), masked_by, chip_);
  const std::size_t bytes = kernels::attention_workspace_bytes(queries.planned(), keys.planned(), values.planned(),
                                                               op.heads, out.planned(), masked_by, chip_);
  // A list program adds the parts up where it reads them.
  const bool finished = parts.splits == 1 || !is_read_by_list_programs(output);
  const View workspace = scratch(bytes);
  if (finished)
    out = make_output();
  else
    unfinished_[output] = {workspace, parts, op.heads, queries.tensor.channels / op.heads};
  const bool tensor_cores =
      kernels::attention_has_tensor_cores(queries.planned(), keys.planned(), values.planned(), op.heads, out.planned());
  step("attention", std::string(tensor_cores ? "tensor cores" : "multiply-adds") + (op.masked ? ", masked" : ""),
       {queries, keys, values, masks, workspace}, finished ? std::vector{out, workspace} : std::vector{workspace},
       [=, heads = op.heads, masked = op.masked](const Addresses& addresses, kernels::CudaQueue& queue) {
         const kernels::Tensor bound = masks.at(addresses);
         kernels::attention_cuda(queue, queries.at(addresses), keys.at(addresses), values.at(addresses), heads,
                                 out.at(addresses), masked ? &bound : nullptr, workspace.address(addresses), finished);
       });
}

}  // namespace maskrt::cuda
