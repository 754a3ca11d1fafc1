#include "fusions.h"

#include <algorithm>

#include "kernels/stem/stem_pool_cuda.h"

namespace maskrt::cuda {
namespace {

constexpr std::size_t kMostHeads = 4, kMostBranches = 8;  // of linear_cuda and pyramid_pool_cuda

class Finder {
 public:
  Finder(const graph::Graph& graph, Precision precision) : graph_(graph), precision_(precision) {
    found_.inside.resize(graph.nodes.size(), false);
  }

  Fusions find() {
    for (int i = 0; i < static_cast<int>(graph_.nodes.size()); ++i) {
      if (const auto* conv = operation<graph::Conv>(i)) {
        residual_of(i, *conv);
        maps_of(i, *conv);
      }
      if (operation<graph::Linear>(i) != nullptr) regroup_of(i);
    }
    for (int i = 0; i < static_cast<int>(graph_.nodes.size()); ++i) {
      if (found_.inside[static_cast<std::size_t>(i)]) continue;
      if (operation<graph::Linear>(i) != nullptr) heads_of(i);
      if (operation<graph::AdaptiveAveragePool>(i) != nullptr) pyramid_of(i);
      if (const auto* pool = operation<graph::MaxPool>(i)) stem_of(i, *pool);
    }
    const int resize = producer_of_output("mask_logits");
    if (resize >= 0) {
      const auto* op = operation<graph::ResizeBilinear>(resize);
      if (op != nullptr && op->factor == 2) found_.last_resize = resize;
    }
    return std::move(found_);
  }

 private:
  const graph::Node& node(int i) const { return graph_.nodes[static_cast<std::size_t>(i)]; }
  template <typename Operation>
  const Operation* operation(int i) const {
    return std::get_if<Operation>(&node(i).operation);
  }
  /// The node that alone reads a value's numbers, where no output is the value; -1 otherwise.
  int only_reader(graph::ValueId value) const {
    if (graph_.is_output(value)) return -1;
    const std::vector<int> consumers = graph_.consumers(value);
    return consumers.size() == 1 ? consumers[0] : -1;
  }
  int producer_of_output(const char* name) const {
    const graph::ValueId value = graph_.find(name);
    return value >= 0 && graph_.is_output(value) ? graph_.producer(value) : -1;
  }
  void inside(int i) { found_.inside[static_cast<std::size_t>(i)] = true; }

  void residual_of(int i, const graph::Conv& conv) {
    if (!conv.residual || node(i).inputs[0] == node(i).inputs[1]) return;
    const int upsample = graph_.producer(node(i).inputs[1]);
    const auto* op = operation<graph::UpsampleNearest>(upsample);
    if (op == nullptr || op->factor != 2 || only_reader(node(upsample).output()) != i) return;
    found_.upsampled_residual[i] = upsample;
    inside(upsample);
  }

  void maps_of(int i, const graph::Conv& conv) {
    const int reader = only_reader(node(i).output());
    if (conv.groups == 1 || reader < 0) return;
    const bool aggregates =
        operation<graph::Aggregate>(reader) != nullptr || operation<graph::AggregateLogits>(reader) != nullptr;
    if (aggregates && node(reader).inputs[0] != node(reader).inputs[1] && node(reader).inputs[0] == node(i).output())
      found_.grouped_maps.insert(i);
  }

  void regroup_of(int i) {
    const int regroup = graph_.producer(node(i).inputs[0]);
    if (operation<graph::Regroup>(regroup) == nullptr || only_reader(node(regroup).output()) != i) return;
    found_.regroup[i] = regroup;
    inside(regroup);
  }

  void heads_of(int i) {
    if (found_.regroup.count(i) != 0) return;
    std::vector<int> heads;
    for (const int reader : graph_.consumers(node(i).inputs[0]))
      if (reader >= i && operation<graph::Linear>(reader) != nullptr && heads.size() < kMostHeads)
        heads.push_back(reader);
    if (heads.size() < 2) return;
    for (std::size_t k = 1; k < heads.size(); ++k) inside(heads[k]);
    found_.heads[i] = std::move(heads);
  }

  /// A 1x1 convolution that is nothing but a product with a bias and an activation, on a map nobody else reads.
  int plain_conv_on(graph::ValueId value) const {
    const int reader = only_reader(value);
    if (reader < 0) return -1;
    const auto* conv = operation<graph::Conv>(reader);
    if (conv == nullptr || conv->residual || conv->coordinate_weight != nullptr || conv->groups != 1 ||
        conv->stride != 1 || conv->padding != 0)
      return -1;
    const Shape& shape = conv->weight->shape();
    return shape[2] == 1 && shape[3] == 1 ? reader : -1;
  }

  void pyramid_of(int first) {
    std::vector<PyramidNodes> branches;
    for (const int pool : graph_.consumers(node(first).inputs[0])) {
      if (pool < first || operation<graph::AdaptiveAveragePool>(pool) == nullptr) continue;
      PyramidNodes branch;
      branch.pool = pool;
      branch.stage = plain_conv_on(node(pool).output());
      if (branch.stage < 0) continue;
      branch.bottleneck = plain_conv_on(node(branch.stage).output());
      if (branch.bottleneck < 0 || operation<graph::Conv>(branch.bottleneck)->activation != graph::Activation::none)
        continue;
      if (branches.size() < kMostBranches) branches.push_back(branch);
    }
    if (branches.empty() || branches.front().pool != first) return;
    for (const PyramidNodes& branch : branches) {
      if (branch.pool != first) inside(branch.pool);
      inside(branch.stage);
      inside(branch.bottleneck);
    }
    found_.pyramid[first] = std::move(branches);
  }

  void stem_of(int i, const graph::MaxPool& pool) {
    if (precision_ != Precision::fp16 || pool.kernel != 3 || pool.stride != 2 || pool.padding != 1) return;
    const int stem = graph_.producer(node(i).inputs[0]);
    const auto* conv = operation<graph::Conv>(stem);
    if (conv == nullptr || only_reader(node(stem).output()) != i || conv->residual || conv->groups != 1 ||
        conv->coordinate_weight != nullptr || conv->stride != 2 || conv->padding != 3 || conv->dilation != 1 ||
        !kernels::fits_stem(conv->weight->shape()))
      return;
    if (operation<graph::Input>(graph_.producer(node(stem).inputs[0])) == nullptr) return;  // else wider pixels
    found_.pooled_stem[i] = stem;
    inside(stem);
  }

  const graph::Graph& graph_;
  Precision precision_;
  Fusions found_;
};

}  // namespace

Fusions find_fusions(const graph::Graph& graph, Precision precision) { return Finder(graph, precision).find(); }

}  // namespace maskrt::cuda
