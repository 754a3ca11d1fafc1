// Steps of what transformers add to convolutions.
#include "kernels/attention/attention_cpu.h"
#include "kernels/layout/layout.h"
#include "kernels/norm/layer_norm.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cpu {

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
  if (op.masked) refuse("attention under masks");
  const View queries = as_stored(input(0)), keys = as_stored(input(1)), values = as_stored(input(2)),
             out = make_output();
  const kernels::Attention attention(queries.tensor, keys.tensor, values.tensor, op.heads, out.tensor, threads_);
  const View scratch = new_scratch(attention.scratch_bytes());
  step("attention", "tiles fp32", {queries, keys, values, scratch}, {out, scratch}, [=](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    attention.run(queries.at(addresses), keys.at(addresses), values.at(addresses), out.at(addresses),
                  scratch.address(addresses));
  });
  program_.steps.back().arithmetic = Precision::fp32;
}

}  // namespace maskrt::cpu
