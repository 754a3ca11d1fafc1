// Steps that make lists of queries, those that are learned and those selected out of a map, and what both need.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/onednn.h"
#include "kernels/resize/resize.h"
#include "kernels/select/select.h"
#include "program_builder.h"

namespace maskrt::cpu {

static_assert(graph::limits::kSelected <= kernels::kMostSelected &&
              graph::limits::kPositions <= kernels::kMostPositions);

void ProgramBuilder::add(const graph::Parameter& op) {
  const graph::ValueId value = node().output();
  const graph::Extent& e = extent(value);
  View rows;
  rows.tensor = kernels::dense(nullptr, DataType::f32, e.batch, e.height, e.width, e.channels, block_of(value));
  const dnnl::memory::desc layout({e.elements()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x);
  rows.prepared = weight_parts(WeightStore::Part::weights, layout, 1, *op.value,
                               [constant = op.value, batch = e.batch](const std::vector<std::byte*>& to) {
                                 const std::vector<float> values = constant->evaluate();
                                 auto* image = reinterpret_cast<float*>(to[0]);
                                 for (std::int64_t b = 0; b < batch; ++b)
                                   image = std::copy(values.begin(), values.end(), image);
                               })
                      .front();
  store_constant(rows);
}

void ProgramBuilder::add(const graph::ParameterMap& op) {
  const graph::ValueId value = node().output();
  const graph::Extent& e = extent(value);
  View maps;
  maps.tensor = kernels::dense(nullptr, DataType::f32, e.batch, e.height, e.width, e.channels, block_of(value));
  // Resized once, when weights are filled; plans of other sizes have their own. New memory is zeros, padding too.
  maps.prepared = weight_parts(WeightStore::Part::weights, kernels::onednn::layout_of(maps.tensor), 1, *op.value,
                               [constant = op.value, tensor = maps.tensor](const std::vector<std::byte*>& to) {
                                 std::vector<float> values = constant->evaluate();
                                 const Shape& shape = constant->shape();
                                 const kernels::Tensor in =
                                     kernels::dense(values.data(), DataType::f32, 1, shape[2], shape[3], shape[1], 1);
                                 kernels::Tensor image = tensor;
                                 image.data = to[0];
                                 image.batch = 1;
                                 kernels::resize_bilinear_sum_ref({&in, 1}, image);
                                 const std::size_t bytes = image.bytes();
                                 for (std::int64_t b = 1; b < tensor.batch; ++b)
                                   std::memcpy(to[0] + static_cast<std::size_t>(b) * bytes, to[0], bytes);
                               })
                      .front();
  store_constant(maps);
}

void ProgramBuilder::store_constant(const View& constant) {
  const graph::ValueId value = node().output();
  if (!graph_.is_output(value)) {
    stored(value).parts = {constant};
    return;
  }
  // Callers find outputs in the arena.
  const View out = make_output();
  step(std::string(graph::name_of(node().operation)), "copy", {constant}, {out}, [=](const Addresses& addresses) {
    std::memcpy(out.address(addresses), constant.address(addresses), constant.tensor.bytes());
  });
}

void ProgramBuilder::add(const graph::ProposalScores& op) {
  const View in = fp32_input(0), out = make_output();
  const View best = new_scratch(static_cast<std::size_t>(in.tensor.batch * in.tensor.height * in.tensor.width) *
                                sizeof(kernels::BestClass));
  step("proposal_scores", "rows fp32", {in, best}, {out, best}, [=](const Addresses& addresses) {
    kernels::proposal_scores_cpu(in.at(addresses), static_cast<float>(op.epsilon),
                                 reinterpret_cast<kernels::BestClass*>(best.address(addresses)), out.at(addresses));
  });
}

void ProgramBuilder::add(const graph::SelectTop&) {
  const View in = fp32_input(0), positions = make(node().outputs[0]), scores = make(node().outputs[1]);
  const View keys = new_scratch(static_cast<std::size_t>(in.tensor.height * in.tensor.width) * sizeof(std::uint64_t));
  step("select_top", "partial sort", {in, keys}, {positions, scores, keys}, [=](const Addresses& addresses) {
    kernels::select_top_cpu(in.at(addresses), reinterpret_cast<std::uint64_t*>(keys.address(addresses)),
                            positions.at(addresses), scores.at(addresses));
  });
}

void ProgramBuilder::add(const graph::GatherPositions&) {
  const View in = fp32_input(0), positions = as_stored(input(1)), out = make_output();
  step("gather_positions", "rows fp32", {in, positions}, {out}, [=](const Addresses& addresses) {
    kernels::gather_positions_cpu(in.at(addresses), positions.at(addresses), out.at(addresses));
  });
}

}  // namespace maskrt::cpu
