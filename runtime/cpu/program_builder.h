// Turns a graph of one shape into a program: storage for every value, conversions where readers differ, steps.
#pragma once

#include <string>
#include <vector>

#include "conv_calls.h"
#include "kernels/iam/iam.h"
#include "precision_plan.h"
#include "runtime/program_base.h"
#include "weight_jobs.h"
#include "weight_store.h"

namespace maskrt::cpu {

/// How a value is stored, where its shape is known.
struct Format {
  DataType type = DataType::f32;
  std::int64_t block = 0;  ///< 0: channels innermost (NHWC)
  bool operator==(const Format&) const = default;
};

/// Builds one program and is then done with.
class ProgramBuilder : private ProgramBase {
 public:
  /// All outlive the builder; the program outlives it and them.
  ProgramBuilder(const graph::Graph& graph, const std::vector<graph::Extent>& extents, const PrecisionPlan& precision,
                 int threads, ConvChooser& chooser, WeightStore& weights);
  /// Its weights are filled, and kept by the store.
  Program build();

 private:
  struct Stored {
    std::vector<View> parts;   ///< side by side, they are the value: one, or one for each group of a convolution
    std::vector<View> copies;  ///< the whole value in further formats
  };

  // Maps. Each adds the steps of one node and stores its output. (build_maps.cpp, build_conv.cpp)
  void add(const graph::Input&);
  void add(const graph::Conv&);
  void add(const graph::DeformConv&);
  void add(const graph::BatchNorm&);
  void add(const graph::Activate&);
  void add(const graph::Add&);
  void add(const graph::MaxPool&);
  void add(const graph::AveragePool&);
  void add(const graph::AdaptiveAveragePool&);
  void add(const graph::UpsampleNearest&);
  void add(const graph::ResizeBilinear&);
  void add(const graph::Concat&);
  void add(const graph::Slice&);
  void add(const graph::Coordinates&);
  void add(const graph::NormaliseMaps&);
  void add(const graph::SoftmaxMaps&);
  // From maps to lists and back. (build_lists.cpp)
  void add(const graph::Aggregate&);
  void add(const graph::AggregateLogits&);
  void add(const graph::Regroup&);
  void add(const graph::Linear&);
  void add(const graph::MaskProduct&);
  void add(const graph::ConcatRows&);
  void add(const graph::SliceRows&);
  // Queries. (build_queries.cpp)
  void add(const graph::Parameter&);
  void add(const graph::ParameterMap&);
  void add(const graph::ProposalScores&);
  void add(const graph::SelectTop&);
  void add(const graph::GatherPositions&);
  // Norms, and what transformers add. (build_attention.cpp)
  void add(const graph::GroupNorm&);
  void add(const graph::LayerNorm&);
  void add(const graph::Attention&);
  /// CpuNetwork puts what they are made of in the place of fused operations.
  template <graph::FusedOp Fused>
  void add(const Fused& op) {
    throw Error("cpu: expected " + std::string(op.name) + " to have come apart before it is compiled");
  }

  void aggregate(kernels::MapWeights weights, double epsilon);
  /// Stores the current node's output, which is a constant: as it is, or as a copy where callers look for it.
  void store_constant(const View& constant);
  void conv_whole(const graph::Conv& op, const ConvChoice& choice, View in, DataType out_type);
  void conv_in_parts(const graph::Conv& op, const ConvCalls& calls, const View& in);
  /// Tells of the step added last, a convolution, what bounds it: its arithmetic and its bytes.
  void note_arithmetic(const ConvChoice& choice, DataType type);
  View conv_target(const graph::Conv& op, DataType out_type);
  void coordinate_term(const graph::Conv& op, const View& out);
  /// Fills parts of a node's weights; null where one is there already.
  using FillParts = std::function<void(const std::vector<std::byte*>& parts)>;
  /// The node's weights in a layout, in `count` parts. What is new is filled when the program is built, maybe beside
  /// other nodes' weights: `fill` must not refer to anything that changes or goes before that.
  std::vector<AlignedBytes> weight_parts(WeightStore::Part part, const dnnl::memory::desc& layout, int count,
                                         const graph::Constant& constant, FillParts fill);
  /// A constant in `parts` equal parts, each followed by zeros; nulls for none.
  std::vector<AlignedBytes> padded_vectors(const graph::ConstantPtr& constant, int parts, std::int64_t padded_count) {
    return padded_vectors(WeightStore::Part::bias, constant, parts, padded_count);
  }
  std::vector<AlignedBytes> padded_vectors(WeightStore::Part part, const graph::ConstantPtr& constant, int parts,
                                           std::int64_t padded_count);

  graph::ValueId input(std::size_t i) const { return node().inputs[i]; }
  Stored& stored(graph::ValueId value) { return stored_[static_cast<std::size_t>(value)]; }

  /// The usual block of a value: channels innermost for lists, the native block for maps.
  std::int64_t block_of(graph::ValueId value) const;
  View new_view(graph::ValueId value, Format format) { return ProgramBase::new_view(value, format.type, format.block); }
  /// One of the node's outputs, in a format or in its usual one.
  View make(graph::ValueId value, Format format);
  View make(graph::ValueId value) { return make(value, {value_type(value), block_of(value)}); }
  /// The output of a node that has one.
  View make_output(Format format) { return make(node().output(), format); }
  View make_output() { return make(node().output()); }
  /// A value as one tensor in a format; adds the conversion where it is not there yet.
  View in_format(graph::ValueId value, Format format);
  /// A value as one tensor in the format that it has; maps in the native block.
  View as_stored(graph::ValueId value);
  /// Input i in fp32 and its usual block.
  View fp32_input(std::size_t i) { return in_format(input(i), {DataType::f32, block_of(input(i))}); }

  /// Adds a step that reads and writes these views.
  void step(const std::string& operation, const std::string& algorithm, const std::vector<View>& reads,
            const std::vector<View>& writes, std::function<void(const Addresses&)> run);
  /// A step that is no layer: its name says whose it is, and it has no work of the layer's. `owner`: the node whose
  /// module's time it takes; the current one where not given.
  void helper_step(const graph::Node& owner, const std::string& name, const std::string& operation,
                   const std::string& algorithm, const std::vector<View>& reads, const std::vector<View>& writes,
                   std::function<void(const Addresses&)> run);
  void helper_step(const std::string& name, const std::string& operation, const std::string& algorithm,
                   const std::vector<View>& reads, const std::vector<View>& writes,
                   std::function<void(const Addresses&)> run) {
    helper_step(node(), name, operation, algorithm, reads, writes, std::move(run));
  }

  int threads_;
  ConvChooser& chooser_;
  WeightStore& weights_;
  std::vector<AlignedBytes> used_weights_;
  std::vector<WeightJob> jobs_;
  std::vector<Stored> stored_;
};

}  // namespace maskrt::cpu
