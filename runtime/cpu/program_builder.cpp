#include "program_builder.h"

#include <algorithm>
#include <cstring>

#include "kernels/layout/layout.h"

namespace maskrt::cpu {
namespace {

std::size_t bytes_of(const View& view) {
  const kernels::Tensor& t = view.tensor;
  return static_cast<std::size_t>(t.batch * t.height * t.width * t.channels) * size_of(t.type);
}

}  // namespace

ProgramBuilder::ProgramBuilder(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                               const PrecisionPlan& precision, int threads, ConvChooser& chooser, WeightStore& weights)
    : ProgramBase(graph, extents, precision),
      threads_(threads),
      chooser_(chooser),
      weights_(weights),
      stored_(graph.values.size()) {}

Program ProgramBuilder::build() {
  for (node_ = 0; node_ < static_cast<int>(graph_.nodes.size()); ++node_)
    std::visit([this](const auto& op) { add(op); }, node().operation);
  const graph::ValueId first = graph_.nodes[0].output();
  const View in = stored(first).parts[0];
  program_.input = binding(first, in);
  for (const graph::ValueId output : graph_.outputs) {
    View view = as_stored(output);
    if (view.tensor.type != DataType::f32 && extent(output).element == graph::Element::number)
      view = in_format(output, {DataType::f32, view.tensor.block});
    program_.outputs[name_of_value(output)] = binding(output, view);
  }
  run_weight_jobs(std::move(jobs_), threads_);
  weights_.keep(std::move(used_weights_));
  return std::move(program_);
}

std::vector<AlignedBytes> ProgramBuilder::weight_parts(WeightStore::Part part, const dnnl::memory::desc& layout,
                                                       int count, const graph::Constant& constant, FillParts fill) {
  std::vector<AlignedBytes> parts;
  std::vector<std::byte*> to_fill;
  for (int slice = 0; slice < count; ++slice) {
    const WeightStore::Weights weights = weights_.get(node_, part, slice, layout);
    parts.push_back(weights.memory);
    to_fill.push_back(weights.is_new ? weights.memory.get() : nullptr);
  }
  used_weights_.insert(used_weights_.end(), parts.begin(), parts.end());
  if (std::any_of(to_fill.begin(), to_fill.end(), [](const std::byte* memory) { return memory != nullptr; })) {
    // A rewrite's constants are combined in a few steps, each from copies; a layout may be reached by way of another.
    constexpr std::size_t copies = 3;
    const std::size_t plain = static_cast<std::size_t>(elements(constant.shape())) * sizeof(float);
    jobs_.push_back({copies * plain + layout.get_size(), [fill = std::move(fill), to_fill] { fill(to_fill); }});
  }
  return parts;
}

std::vector<AlignedBytes> ProgramBuilder::padded_vectors(WeightStore::Part part, const graph::ConstantPtr& constant,
                                                         int parts, std::int64_t padded_count) {
  if (constant == nullptr) return std::vector<AlignedBytes>(static_cast<std::size_t>(parts));
  const dnnl::memory::desc layout({padded_count}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x);
  return weight_parts(part, layout, parts, *constant,
                      [constant, count = elements(constant->shape()) / parts](const std::vector<std::byte*>& to) {
                        const std::vector<float> values = constant->evaluate();  // the rest of new pages is zeros
                        for (std::size_t i = 0; i < to.size(); ++i)
                          if (to[i] != nullptr)
                            std::memcpy(to[i], values.data() + static_cast<std::int64_t>(i) * count,
                                        static_cast<std::size_t>(count) * sizeof(float));
                      });
}

std::int64_t ProgramBuilder::block_of(graph::ValueId value) const {
  return extent(value).list ? extent(value).channels : (native_block() != 0 ? native_block() : extent(value).channels);
}

View ProgramBuilder::make(graph::ValueId value, Format format) {
  const View view = new_view(value, format);
  stored(value).parts = {view};
  return view;
}

View ProgramBuilder::as_stored(graph::ValueId value) {
  const Stored& s = stored(value);
  if (s.parts.size() == 1) return s.parts[0];
  return in_format(value, {s.parts[0].tensor.type, block_of(value)});
}

View ProgramBuilder::in_format(graph::ValueId value, Format format) {
  Stored& s = stored(value);
  const auto fits = [&](const View& view) {
    return view.tensor.type == format.type && view.tensor.block == format.block;
  };
  if (s.parts.size() == 1 && fits(s.parts[0])) return s.parts[0];
  const auto copy = std::find_if(s.copies.begin(), s.copies.end(), fits);
  if (copy != s.copies.end()) return *copy;

  const std::string& name = name_of_value(value);
  const View to = new_view(value, format);
  const std::string algorithm =
      std::string(name_of(s.parts[0].tensor.type)) + " to " + std::string(name_of(format.type));
  if (s.parts.size() == 1) {
    const View from = s.parts[0];
    const kernels::onednn::Reorder reorder(kernels::onednn::layout_of(from.tensor),
                                           kernels::onednn::layout_of(to.tensor));
    helper_step(owner_of(value), "reorder " + name, "reorder", algorithm, {from}, {to},
                [=](const Addresses& addresses) { reorder.run(from.address(addresses), to.address(addresses)); });
  } else {
    helper_step(owner_of(value), "join " + name, "reorder", algorithm, s.parts, {to},
                [parts = s.parts, to](const Addresses& addresses) {
                  const kernels::Tensor out = to.at(addresses);
                  kernels::clear_padding(out);
                  std::int64_t begin = 0;
                  for (const View& part : parts) {
                    const kernels::Tensor in = part.at(addresses);
                    kernels::copy_channels_cpu(in, 0, out, begin, in.channels);
                    begin += in.channels;
                  }
                });
  }
  s.copies.push_back(to);
  return to;
}

void ProgramBuilder::helper_step(const graph::Node& owner, const std::string& name, const std::string& operation,
                                 const std::string& algorithm, const std::vector<View>& reads,
                                 const std::vector<View>& writes, std::function<void(const Addresses&)> run) {
  Step& added = append_step(owner, name, operation, algorithm, reads, writes, std::move(run));
  for (const View& view : reads) added.bytes += static_cast<double>(bytes_of(view));
  for (const View& view : writes) added.bytes += static_cast<double>(bytes_of(view));
}

void ProgramBuilder::step(const std::string& operation, const std::string& algorithm, const std::vector<View>& reads,
                          const std::vector<View>& writes, std::function<void(const Addresses&)> run) {
  helper_step(node().name, operation, algorithm, reads, writes, std::move(run));
  const graph::Cost cost = node_cost(size_of(DataType::f32));
  program_.steps.back().flops = cost.flops;
  program_.steps.back().bytes = cost.bytes;
}

}  // namespace maskrt::cpu
