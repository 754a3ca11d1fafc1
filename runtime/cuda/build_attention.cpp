// Steps of what transformers add to convolutions.
#include "kernels/attention/attention_cuda.h"
#include "kernels/norm/layer_norm_cuda.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {

void ProgramBuilder::add(const graph::LayerNorm& op) {
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
  if (op.masked) refuse("attention under masks");
  const View queries = input(0), keys = input(1), values = input(2), out = make_output();
  const bool tensor_cores =
      kernels::attention_has_tensor_cores(queries.planned(), keys.planned(), values.planned(), op.heads, out.planned());
  step("attention", tensor_cores ? "tensor cores" : "multiply-adds", {queries, keys, values}, {out},
       [=, heads = op.heads](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::attention_cuda(queue, queries.at(addresses), keys.at(addresses), values.at(addresses), heads,
                                 out.at(addresses));
       });
}

}  // namespace maskrt::cuda
