// Steps of a convolution: its residual or coordinate term put where the output goes, the convolution on top of it, and
// what its epilogue cannot do.
#include <algorithm>

#include "kernels/conv/cpu/coordinate_term.h"
#include "kernels/deform/deform_conv_cpu.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/layout/layout.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cpu {
namespace {

/// Rows of a matrix, of each of which `count` numbers from `first` on remain.
std::vector<float> columns_of(const std::vector<float>& rows, std::int64_t width, std::int64_t first,
                              std::int64_t count) {
  std::vector<float> part;
  part.reserve(rows.size() / static_cast<std::size_t>(width) * static_cast<std::size_t>(count));
  for (auto row = rows.begin(); row != rows.end(); row += width)
    part.insert(part.end(), row + first, row + first + count);
  return part;
}

}  // namespace

View ProgramBuilder::conv_target(const graph::Conv& op, DataType out_type) {
  const Format format{out_type, block_of(node().output())};
  if (!op.residual) return make_output(format);
  const View residual = in_format(input(1), format);
  // In place where nobody reads the residual afterwards: the sum then costs one read of what is in the cache anyway.
  if (may_overwrite(1, residual)) {
    stored(node().output()).parts = {residual};
    return residual;
  }
  const View out = make_output(format);
  helper_step("copy " + node().name, "copy", "rows", {residual}, {out}, [=](const Addresses& addresses) {
    kernels::copy_channels_cpu(kernels::padded(residual.at(addresses)), 0, kernels::padded(out.at(addresses)), 0,
                               kernels::padded(out.tensor).channels);
  });
  return out;
}

void ProgramBuilder::coordinate_term(const graph::Conv& op, const View& out) {
  const graph::Extent& in = extent(input(0));
  const auto& shape = op.coordinate_weight->shape();
  const kernels::ConvGeometry geometry{
      static_cast<int>(shape[2]), static_cast<int>(shape[3]), op.stride, op.padding, op.dilation, 1};
  const auto term = std::make_shared<const kernels::CoordinateTerm>(geometry, op.coordinate_weight->evaluate().data(),
                                                                    shape[0], in.height, in.width, out.tensor.block);
  helper_step("coordinates " + node().name, "coordinate_term", "tables",
              op.residual ? std::vector{out} : std::vector<View>{}, {out},
              [=, add = op.residual](const Addresses& addresses) {
                add ? term->add(out.at(addresses)) : term->write(out.at(addresses));
              });
}

void ProgramBuilder::add(const graph::Conv& op) {
  const ConvNode shape(op, extent(input(0)), extent(node().output()));
  const DataType in_type = stored_in(node_precision());
  const DataType out_type = in_type == DataType::f32 ? DataType::f32 : value_type(node().output());
  // Measured and compiled for where the input lies: the images of a slice are further apart than a dense tensor's.
  const std::int64_t in_block = input_block(shape.in.channels);
  const View in = in_format(input(0), {in_type, in_block != 0 ? in_block : shape.in.channels});
  const ConvCalls calls = choose_calls(shape, in_type, out_type, in.tensor.batch_stride, chooser_, threads_);
  if (calls.split == ConvSplit::none) {
    conv_whole(op, calls.choices.front(), in, out_type);
  } else {
    conv_in_parts(op, calls, in);
  }
  const kernels::Activation left = op.activation == graph::Activation::sigmoid
                                       ? kernels::Activation::sigmoid
                                       : calls.choices.back().conv->activation_left();
  if (left == kernels::Activation::none) return;
  const std::vector<View> parts = stored(node().output()).parts;
  helper_step(std::string(graph::name_of(op.activation)) + " " + node().name, "activate", "rows", parts, parts,
              [=](const Addresses& addresses) {
                for (const View& part : parts)
                  kernels::activate_cpu(left, part.at(addresses), part.at(addresses), graph::kLeakySlope);
              });
}

void ProgramBuilder::add(const graph::DeformConv& op) {
  const View in = fp32_input(0), offsets = fp32_input(1), out = make_output();
  const auto& shape = op.weight->shape();
  kernels::DeformConv::Shape described;
  described.geometry.conv = {
      static_cast<int>(shape[2]), static_cast<int>(shape[3]), op.stride, op.padding, op.dilation, op.groups};
  described.geometry.offset_groups = op.offset_groups;
  described.geometry.modulated = op.modulated;
  described.in = in.tensor;
  described.out = out.tensor;
  described.activation = kernel_activation(op.activation);
  described.slope = graph::kLeakySlope;
  const auto conv = std::make_shared<const kernels::DeformConv>(described, threads_);
  const dnnl::memory::desc layout({conv->weight_count()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x);
  const AlignedBytes weights =
      weight_parts(WeightStore::Part::weights, layout, 1, *op.weight,
                   [conv, constant = op.weight](const std::vector<std::byte*>& to) {
                     conv->prepare(constant->evaluate().data(), reinterpret_cast<float*>(to[0]));
                   })
          .front();
  const AlignedBytes bias = padded_vectors(op.bias, 1, kernels::padded(out.tensor).channels).front();
  const View scratch = new_scratch(conv->scratch_bytes());
  step("deform_conv", "tiles fp32", {in, offsets, scratch}, {out, scratch}, [=](const Addresses& addresses) {
    kernels::clear_padding(out.at(addresses));
    conv->run(in.at(addresses), offsets.at(addresses), reinterpret_cast<const float*>(weights.get()),
              reinterpret_cast<const float*>(bias.get()), out.at(addresses), scratch.address(addresses));
  });
  program_.steps.back().arithmetic = Precision::fp32;
}

void ProgramBuilder::conv_whole(const graph::Conv& op, const ConvChoice& choice, View in, DataType out_type) {
  const auto conv = choice.conv;
  const View out = conv_target(op, out_type);
  if (op.coordinate_weight != nullptr) coordinate_term(op, out);

  const AlignedBytes weights =
      weight_parts(WeightStore::Part::weights, conv->weight_layout(), 1, *op.weight,
                   [conv, constant = op.weight](const std::vector<std::byte*>& to) {
                     conv->prepare(constant->evaluate().data(), constant->shape()[0], constant->shape()[1], to[0]);
                   })
          .front();
  const AlignedBytes bias = padded_vectors(op.bias, 1, conv->out_layout().dims()[1]).front();

  // Where oneDNN asks for layouts of its own, they are buffers with conversions around the convolution.
  const auto buffer_of = [&](const std::string& name, const dnnl::memory::desc& layout, const View& like) {
    View view = like;
    view.buffer = new_buffer(name + node().name, layout.get_size());
    view.offset = 0;
    return view;
  };
  const auto convert = [&](const View& from, const dnnl::memory::desc& from_layout, const View& to,
                           const dnnl::memory::desc& to_layout) {
    const kernels::onednn::Reorder reorder(from_layout, to_layout);
    helper_step("reorder " + node().name, "reorder", "layout", {from}, {to},
                [=](const Addresses& addresses) { reorder.run(from.address(addresses), to.address(addresses)); });
  };
  const bool free = choice.algorithm == kernels::ConvAlgorithm::free;
  kernels::ConvProblem problem;
  problem.geometry.groups = op.groups;
  const auto in_layout = kernels::onednn::layout_of(problem.whole_blocks(in.tensor));
  const auto out_layout = kernels::onednn::layout_of(problem.whole_blocks(out.tensor));
  if (free && in_layout != conv->in_layout()) {
    const View own = buffer_of("input of ", conv->in_layout(), in);
    convert(in, in_layout, own, conv->in_layout());
    in = own;
  }
  View target = out;
  const bool own_output = free && out_layout != conv->out_layout();
  if (own_output) {
    target = buffer_of("output of ", conv->out_layout(), out);
    if (op.residual || op.coordinate_weight != nullptr) convert(out, out_layout, target, conv->out_layout());
  }

  const View scratch = new_scratch(conv->scratch_bytes());
  std::vector<View> reads{in, scratch};
  if (op.residual || op.coordinate_weight != nullptr) reads.push_back(target);
  step("conv", choice.name(in.tensor.type), reads, {target, scratch}, [=](const Addresses& addresses) {
    conv->run(in.address(addresses), weights.get(), reinterpret_cast<const float*>(bias.get()),
              target.address(addresses), scratch.address(addresses));
  });
  note_arithmetic(choice, in.tensor.type);
  if (own_output) convert(target, conv->out_layout(), out, out_layout);
}

void ProgramBuilder::conv_in_parts(const graph::Conv& op, const ConvCalls& calls, const View& in) {
  const kernels::ConvProblem& problem = calls.problem;
  const int count = calls.count();
  const bool adds = calls.split == ConvSplit::inputs;  // all parts to the same outputs
  // Of one call.
  const std::int64_t in_channels = op.weight->shape()[1] / (adds ? count : 1),
                     out_channels = op.weight->shape()[0] / (adds ? 1 : count);
  std::vector<View> inputs, parts;
  for (int i = 0; i < count; ++i)
    inputs.push_back(calls.split == ConvSplit::outputs ? in : in.channels(i * in_channels, in_channels));
  if (adds || out_channels % problem.out.block == 0) {
    const View out = conv_target(op, problem.out.type);
    if (op.coordinate_weight != nullptr) coordinate_term(op, out);
    for (int i = 0; i < count; ++i) parts.push_back(adds ? out : out.channels(i * out_channels, out_channels));
  } else {
    View part;
    part.tensor = problem.out;
    part.buffer = new_buffer(name_of_value(node().output()), problem.out.bytes() * static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      parts.push_back(part);
      part.offset += problem.out.bytes();
    }
    stored(node().output()).parts = parts;
  }

  std::vector<std::shared_ptr<const kernels::Convolution>> convs;
  std::size_t scratch_bytes = 0;
  for (const ConvChoice& choice : calls.choices) {
    convs.push_back(choice.conv);
    scratch_bytes = std::max(scratch_bytes, choice.conv->scratch_bytes());
  }
  const auto fill = [=, constant = op.weight, conv = convs.front()](const std::vector<std::byte*>& to) {
    const std::vector<float> numbers = constant->evaluate();
    const std::int64_t row = elements(constant->shape()) / constant->shape()[0], part = row / count;
    for (int i = 0; i < count; ++i) {
      std::byte* const memory = to[static_cast<std::size_t>(i)];
      if (memory == nullptr) continue;
      if (adds)
        conv->prepare(columns_of(numbers, row, i * part, part).data(), out_channels, in_channels, memory);
      else
        conv->prepare(numbers.data() + i * out_channels * row, out_channels, in_channels, memory);
    }
  };
  const std::vector<AlignedBytes> weights =
      weight_parts(WeightStore::Part::weights, convs.front()->weight_layout(), count, *op.weight, fill);
  std::vector<AlignedBytes> biases = padded_vectors(op.bias, adds ? 1 : count, convs.front()->out_layout().dims()[1]);
  biases.resize(static_cast<std::size_t>(count));  // the first call alone adds what all of them would
  const View scratch = new_scratch(scratch_bytes);
  std::vector<View> reads{in, scratch}, writes = parts;
  if (problem.accumulate) reads.push_back(parts[0]);
  writes.push_back(scratch);
  const char* way = adds ? " by inputs" : calls.split == ConvSplit::groups ? " by group" : " by half";
  step("conv", calls.choices.front().name(problem.in.type) + way, reads, writes, [=](const Addresses& addresses) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      convs[i]->run(inputs[i].address(addresses), weights[i].get(), reinterpret_cast<const float*>(biases[i].get()),
                    parts[i].address(addresses), scratch.address(addresses));
  });
  note_arithmetic(calls.choices.front(), problem.in.type);
}

void ProgramBuilder::note_arithmetic(const ConvChoice& choice, DataType type) {
  Step& conv = program_.steps.back();
  constexpr double fewer_products = 4;  // Winograd's F(4,3): 36 products for 16 outputs of 9 taps each
  if (choice.algorithm == kernels::ConvAlgorithm::winograd) conv.least_flops = conv.flops / fewer_products;
  conv.arithmetic = node_precision();
  conv.bytes = node_cost(size_of(type)).bytes;
}

}  // namespace maskrt::cpu
