// Steps of norms, and of what transformers add to convolutions.
#include "kernels/attention/attention_cpu.h"
#include "kernels/layout/layout.h"
#include "kernels/norm/group_norm.h"
#include "kernels/norm/layer_norm.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cpu {

void ProgramBuilder::add(const graph::GroupNorm& op) {
  const View in = as_stored(input(0)), out = make_output();
  const std::int64_t channels = in.tensor.channels;
  const AlignedBytes weight = padded_vectors(WeightStore::Part::weights, op.weight, 1, channels).front(),
                     bias = padded_vectors(WeightStore::Part::bias, op.bias, 1, channels).front();
  const View scratch = new_scratch(kernels::group_norm_scratch_bytes(in.tensor, threads_));
  step("group_norm", "columns " + std::string(name_of(out.tensor.type)), {in, scratch}, {out, scratch},
       [=, threads = threads_, groups = op.groups, epsilon = op.epsilon,
        activation = kernel_activation(op.activation)](const Addresses& addresses) {
         kernels::clear_padding(out.at(addresses));
         kernels::group_norm_cpu(in.at(addresses), reinterpret_cast<const float*>(weight.get()),
                                 reinterpret_cast<const float*>(bias.get()), groups, epsilon, activation,
                                 out.at(addresses), graph::kLeakySlope, threads, scratch.address(addresses));
       });
}

void ProgramBuilder::add(const graph::LayerNorm& op) {
  const View in = as_stored(input(0)), out = make_output();
  const std::int64_t channels = in.tensor.channels;
  const AlignedBytes weight = padded_vectors(WeightStore::Part::weights, op.weight, 1, channels).front(),
                     bias = padded_vectors(WeightStore::Part::bias, op.bias, 1, channels).front();
  const View scratch = new_scratch(kernels::layer_norm_scratch_bytes(in.tensor, threads_));
  step("layer_norm", "rows " + std::string(name_of(out.tensor.type)), {in, scratch}, {out, scratch},
       [=, threads = threads_, epsilon = op.epsilon,
        activation = kernel_activation(op.activation)](const Addresses& addresses) {
         kernels::clear_padding(out.at(addresses));
         kernels::layer_norm_cpu(in.at(addresses), reinterpret_cast<const float*>(weight.get()),
                                 reinterpret_cast<const float*>(bias.get()), epsilon, activation, out.at(addresses),
                                 graph::kLeakySlope, threads, scratch.address(addresses));
       });
}

void ProgramBuilder::add(const graph::Attention& op) {
  const View queries = as_stored(input(0)), keys = as_stored(input(1)), values = as_stored(input(2)),
             out = make_output();
  const View masks = op.masked ? as_stored(input(3)) : View{};
  const kernels::Attention attention(queries.tensor, keys.tensor, values.tensor, op.heads, out.tensor, threads_,
                                     op.masked ? masks.tensor.channels : 0);
  const View scratch = new_scratch(attention.scratch_bytes());
  step("attention", op.masked ? "tiles fp32, masked" : "tiles fp32", {queries, keys, values, masks, scratch},
       {out, scratch}, [=, masked = op.masked](const Addresses& addresses) {
         kernels::clear_padding(out.at(addresses));
         const kernels::Tensor bound = masks.at(addresses);
         attention.run(queries.at(addresses), keys.at(addresses), values.at(addresses), out.at(addresses),
                       scratch.address(addresses), masked ? &bound : nullptr);
       });
  program_.steps.back().arithmetic = Precision::fp32;
}

}  // namespace maskrt::cpu
