// Turns a graph of one shape into launches: storage for every value, kernels for every node.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/activation.h"
#include "kernels/attention/attention_cuda.h"
#include "kernels/conv/cuda/conv_tuning.h"
#include "kernels/cuda/launch.h"
#include "kernels/deform/cuda/deform_conv_cuda.h"
#include "kernels/iam/iam_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "list_runs.h"
#include "runtime/program_base.h"
#include "weight_store.h"

namespace maskrt::cuda {

/// As they lie in memory.
std::vector<std::byte> bytes_of(const std::vector<float>& numbers);

/// Builds one program and is then done with.
class ProgramBuilder : private ProgramBase {
 public:
  /// All but the weights outlive the builder, the weights the program.
  ProgramBuilder(const graph::LoweredNetwork& network, const std::vector<graph::Extent>& extents,
                 const PrecisionPlan& precision, const kernels::Chip& chip, const kernels::ConvTuning& tuning,
                 WeightStore& weights);
  /// Throws Error that names the node where there is no kernel for its tensors.
  Program build();
  /// Of the program that was built.
  const std::vector<kernels::CudaConvProblem>& convolutions() const { return convolutions_; }

 private:
  /// What a step does on a queue with its tensors in place.
  using Work = std::function<void(const Addresses&, kernels::CudaQueue&)>;

  // Each adds the steps of one node and stores its outputs. (build_conv.cpp, build_deform.cpp, build_maps.cpp,
  // build_lists.cpp, build_queries.cpp, build_attention.cpp)
  void add(const graph::Conv&);
  void add(const graph::Input&);
  void add(const graph::BatchNorm&);
  void add(const graph::Activate&);
  void add(const graph::Add&);
  void add(const graph::MaxPool&);
  void add(const graph::AdaptiveAveragePool&);
  void add(const graph::UpsampleNearest&);
  void add(const graph::ResizeBilinear&);
  void add(const graph::Concat&);
  void add(const graph::Slice&);
  void add(const graph::Coordinates&);
  void add(const graph::NormaliseMaps&);
  void add(const graph::SoftmaxMaps&);
  void add(const graph::Aggregate&);
  void add(const graph::AggregateLogits&);
  void add(const graph::Regroup&);
  void add(const graph::Linear&);
  void add(const graph::MaskProduct&);
  void add(const graph::StemPool&);
  void add(const graph::PyramidPool&);
  void add(const graph::LinearHeads&);
  void add(const graph::Parameter&);
  void add(const graph::ProposalScores&);
  void add(const graph::SelectTop&);
  void add(const graph::GatherPositions&);
  void add(const graph::LayerNorm&);
  void add(const graph::Attention&);
  void add(const graph::DeformConv&);
  void add(const graph::AveragePool&);
  void add(const graph::PooledConv&);
  void add(const graph::GroupNorm&);
  void add(const graph::ParameterMap&);
  void add(const graph::ConcatRows&);
  void add(const graph::SliceRows&);

  /// The steps of the current node.
  void add_node();
  /// The list programs of a run, whose first node is the current one and whose last is it then.
  /// (build_list_programs.cpp)
  void add_list_programs(const ListRun& run);
  /// Whether nodes of list programs alone read a value.
  bool is_read_by_list_programs(graph::ValueId value) const;
  /// A convolution whose pixels are sampled: where offsets say, or as means where there are none. `problem` has its
  /// geometry.
  void add_sampled(const std::string& operation, kernels::CudaDeformProblem problem, const View& offsets,
                   const graph::ConstantPtr& weight, const graph::ConstantPtr& bias, graph::Activation activation);
  void aggregate(kernels::MapWeights weights, double epsilon, const float* bias);
  /// Stores the current node's output, which is a constant: as it is, or as a copy where callers look for it.
  void store_constant(const View& constant);
  /// Of a node whose kernel has another epilogue: its output's numbers are replaced by their activation.
  void activate_in_place(graph::Activation activation, const View& out);
  /// Whether the current node is a depthwise convolution that its kernels compute.
  bool has_depthwise_kernel(const graph::Conv& op) const;
  void add_depthwise(const graph::Conv& op);
  /// The norm that alone reads the value of a convolution, where a kernel computes both; else null. `problem` lacks the
  /// output.
  const graph::LayerNorm* norm_behind(graph::ValueId value, kernels::CudaConvProblem problem) const;

  View& stored(graph::ValueId value) { return stored_[static_cast<std::size_t>(value)]; }
  const View& input(std::size_t i) const { return stored_[static_cast<std::size_t>(node().inputs[i])]; }

  /// Channels between a value's pixels or rows, padding included, where make() stores it.
  std::int64_t block_of(graph::ValueId value) const;
  /// Storage of its own for a value, in the type that the plan has for it; channels rounded up to a multiple of 8 in
  /// maps and in what a mask product reads.
  View make(graph::ValueId value);
  /// The same for maps that a convolution of `groups` groups makes for an aggregation alone: each group begins at a
  /// multiple of 32 bytes, a sector of memory.
  View make_apart(graph::ValueId value, int groups);
  /// A map whose pixels are whole sectors of 32 bytes: for kernels that read them in parts.
  View make_in_sectors(graph::ValueId value);
  View make_in_blocks(graph::ValueId value, std::int64_t block) {
    return stored(value) = new_view(value, value_type(value), block);
  }
  /// The output of a node that has one.
  View make_output() { return make(node().output()); }
  /// A step's own memory, or no view at all where it needs none.
  View scratch(std::size_t bytes) { return bytes == 0 ? View{} : new_scratch(bytes); }
  /// Bytes that are zero when a program starts and that every step leaves zero.
  View zeroed(std::size_t bytes);

  /// What the factors of the current node are stored in.
  DataType factor_type() const { return stored_in(node_precision()); }
  /// Throws Error where a map that a product reads is stored as another type than the node computes in.
  void require_factors(const View& in) const;

  // Weights of the current node on the device; `what` tells its constants and their layouts apart.
  const std::byte* weights_of(const std::string& what, const std::function<std::vector<std::byte>()>& make) {
    return weights_.get(std::to_string(node_) + " " + what, make);
  }
  const float* vector_of(const std::string& what, const graph::ConstantPtr& constant);
  /// Rows [out, in] of a product in the type of the node's factors, `stride` elements apart, zeros between.
  const void* rows_of(const std::string& what, const graph::Constant& constant, std::int64_t stride);
  kernels::LinearHead head_of(const std::string& what, const graph::Linear& op);
  void add_linear(const View& in, const std::optional<kernels::RegroupedList>& regrouped,
                  const std::vector<kernels::LinearHead>& heads);

  /// Whether an aggregation alone reads the current node's output, as its maps.
  bool is_aggregated_alone() const;

  /// Adds the step of the current node.
  void step(const std::string& operation, const std::string& algorithm, const std::vector<View>& reads,
            const std::vector<View>& writes, Work work);
  /// Has the launchers of a step check their tensors, so that a type without a kernel is an error of the plan and not
  /// of its first run. Throws what they throw.
  void check(const Work& work) const;

  const kernels::Chip& chip_;
  const kernels::ConvTuning& tuning_;
  WeightStore& weights_;
  std::vector<kernels::CudaConvProblem> convolutions_;
  std::vector<View> stored_;
  std::map<graph::ValueId, kernels::MapGroups> groups_apart_;  // of the values that make_apart made
  const std::vector<ListRun> list_runs_;
  /// Results of attention that a list program has yet to add up.
  struct Unfinished {
    View workspace;
    kernels::AttentionParts parts;
    int heads = 1;
    std::int64_t key_width = 1;
  };
  std::map<graph::ValueId, Unfinished> unfinished_;
  /// What the last convolution so far brings into L2: packed weights of the next one, once it is built.
  struct NextWeights {
    const void* data = nullptr;
    std::size_t bytes = 0;
  };
  std::shared_ptr<NextWeights> next_weights_;
  int zeroed_buffer_ = -1;
  const std::vector<graph::ValueId> head_values_;
};

}  // namespace maskrt::cuda
