// Steps that make lists of queries: those that are learned, and those selected out of a map.
#include "kernels/element.h"
#include "kernels/layout/layout_cuda.h"
#include "kernels/resize/resize.h"
#include "kernels/select/select_cuda.h"
#include "program_builder.h"

namespace maskrt::cuda {

static_assert(graph::limits::kSelected <= kernels::kMostSelected &&
              graph::limits::kPositions <= kernels::kMostPositions);

void ProgramBuilder::add(const graph::Parameter& op) {
  const graph::ValueId value = node().output();
  const graph::Extent& e = extent(value);
  View rows;
  rows.tensor = kernels::dense(nullptr, DataType::f32, e.batch, e.height, e.width, e.channels, block_of(value));
  const std::string key = std::to_string(node_) + " rows of " + std::to_string(e.batch) + " images, " +
                          std::to_string(rows.tensor.block) + " apart";
  const std::byte* const prepared = weights_.get(key, [&] {
    const std::vector<float> values = op.value->evaluate();
    std::vector<std::byte> bytes(rows.tensor.bytes());  // zeros, the padding channels with them
    kernels::Tensor host = rows.tensor;
    host.data = bytes.data();
    kernels::for_each_element(host, [&](std::int64_t b, std::int64_t n, std::int64_t, std::int64_t c) {
      kernels::set(host, b, n, 0, c, values[static_cast<std::size_t>(n * e.channels + c)]);
    });
    return bytes;
  });
  rows.prepared = {std::shared_ptr<void>(), prepared};  // the store's
  store_constant(rows);
}

void ProgramBuilder::add(const graph::ParameterMap& op) {
  const graph::ValueId value = node().output();
  const graph::Extent& e = extent(value);
  View map;
  map.tensor = kernels::dense(nullptr, value_type(value), 1, e.height, e.width, e.channels, block_of(value));
  // Resized once for each size that is planned.
  const std::string key = std::to_string(node_) + " " + std::string(name_of(map.tensor.type)) + " map " +
                          to_string(Shape{e.height, e.width, map.tensor.block});
  const std::byte* const prepared = weights_.get(key, [&] {
    std::vector<float> values = op.value->evaluate();
    const Shape& shape = op.value->shape();
    const kernels::Tensor in = kernels::dense(values.data(), DataType::f32, 1, shape[2], shape[3], shape[1], 1);
    std::vector<float> resized(static_cast<std::size_t>(e.height * e.width * e.channels));
    const kernels::Tensor image = kernels::dense(resized.data(), DataType::f32, 1, e.height, e.width, e.channels, 0);
    kernels::resize_bilinear_sum_ref({&in, 1}, image);
    std::vector<std::byte> bytes(map.tensor.bytes());  // zeros, the padding channels with them
    kernels::Tensor host = map.tensor;
    host.data = bytes.data();
    kernels::for_each_element(host, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
      kernels::set(host, b, y, x, c, kernels::get(image, 0, y, x, c));
    });
    return bytes;
  });
  map.tensor.batch = e.batch;  // all images look at the same
  map.tensor.batch_stride = 0;
  map.prepared = {std::shared_ptr<void>(), prepared};  // the store's
  store_constant(map);
}

void ProgramBuilder::store_constant(const View& constant) {
  const graph::ValueId value = node().output();
  if (!graph_.is_output(value)) {
    stored(value) = constant;
    return;
  }
  // Callers find outputs in the arena.
  const View out = make_output();
  step(std::string(graph::name_of(node().operation)), "channel copy", {constant}, {out},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::copy_channels_cuda(queue, constant.at(addresses), 0, out.at(addresses), 0, out.tensor.channels);
       });
}

void ProgramBuilder::add(const graph::ProposalScores& op) {
  const View in = input(0), out = make_output();
  const View workspace = scratch(kernels::proposal_scores_workspace_bytes(in.tensor));
  step("proposal_scores", "warps, neighbours", {in, workspace}, {out, workspace},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::proposal_scores_cuda(queue, in.at(addresses), static_cast<float>(op.epsilon),
                                       workspace.address(addresses), out.at(addresses));
       });
}

void ProgramBuilder::add(const graph::SelectTop&) {
  const View in = input(0), positions = make(node().outputs[0]), scores = make(node().outputs[1]);
  step("select_top", "radix select", {in}, {positions, scores},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::select_top_cuda(queue, in.at(addresses), positions.at(addresses), scores.at(addresses));
       });
}

void ProgramBuilder::add(const graph::GatherPositions&) {
  const View in = input(0), positions = input(1), out = make_output();
  step("gather_positions", "rows", {in, positions}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::gather_positions_cuda(queue, in.at(addresses), positions.at(addresses), out.at(addresses));
  });
}

}  // namespace maskrt::cuda
