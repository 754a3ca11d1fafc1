// Turns a graph of one shape into launches: storage for every value, kernels for every node.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fusions.h"
#include "kernels/activation.h"
#include "kernels/conv/cuda/conv_tuning.h"
#include "kernels/cuda/launch.h"
#include "kernels/iam/iam_cuda.h"
#include "view.h"
#include "weight_store.h"

namespace maskrt::cuda {

/// Builds one program and is then done with.
class ProgramBuilder {
 public:
  /// The graph, the extents, the fusions and the tuning outlive the builder, the weights the program.
  ProgramBuilder(const graph::Graph& graph, const std::vector<graph::Extent>& extents, const Fusions& fusions,
                 Precision precision, const kernels::Chip& chip, const kernels::ConvTuning& tuning,
                 WeightStore& weights);
  Program build();
  /// Of the program that was built.
  const std::vector<kernels::CudaConvProblem>& convolutions() const { return convolutions_; }

 private:
  /// What a step does on a queue with its tensors in place.
  using Work = std::function<void(const Addresses&, kernels::CudaQueue&)>;

  // Each adds the steps of one node and stores its output. (build_conv.cpp, build_maps.cpp, build_lists.cpp)
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

  void add_stem(int conv);
  void add_pyramid(const std::vector<PyramidNodes>& branches);
  void aggregate(kernels::MapWeights weights, double epsilon);

  const graph::Node& node(int i) const { return graph_.nodes[static_cast<std::size_t>(i)]; }
  const graph::Node& node() const { return node(node_); }
  const std::string& name_of_value(graph::ValueId value) const {
    return graph_.values[static_cast<std::size_t>(value)].name;
  }
  const graph::Extent& extent(graph::ValueId value) const { return extents_[static_cast<std::size_t>(value)]; }
  View& stored(graph::ValueId value) { return stored_[static_cast<std::size_t>(value)]; }
  const View& input(std::size_t i) { return stored(node().inputs[i]); }

  int new_buffer(const std::string& name, std::size_t bytes, bool scratch = false);
  /// Storage of its own for a value: maps in the program's type, lists in fp32; channels rounded up to a multiple of 8
  /// in maps and in what a mask product reads.
  View make(graph::ValueId value);
  /// The same for maps that a convolution of `groups` groups makes for an aggregation alone: each group begins at a
  /// multiple of 32 bytes, a sector of memory.
  View make_apart(graph::ValueId value, int groups);
  /// A map whose pixels are whole sectors of 32 bytes: for kernels that read them in parts.
  View make_in_sectors(graph::ValueId value);
  View make_in_blocks(graph::ValueId value, std::int64_t block);
  View make_output() { return make(node().output); }
  /// A step's own memory, or no view at all where it needs none.
  View scratch(std::size_t bytes);
  /// Bytes that are zero when a program starts and that every step leaves zero.
  View zeroed(std::size_t bytes);

  // Weights, by node.
  const float* vector_of(int node, const char* what, const graph::ConstantPtr& constant);
  /// Rows [out, in] of a product, in a type, `stride` elements apart, zeros between.
  const void* rows_of(int node, const graph::Constant& constant, std::int64_t out, std::int64_t in, std::int64_t stride,
                      DataType type);

  /// What a kernel for all of these nodes need not move: values that stay inside, values that several of them read.
  double spared_bytes(const std::vector<int>& nodes) const;

  /// The step of the current node, and of those inside its kernel.
  void step(const std::string& operation, const std::string& algorithm, const std::vector<View>& reads,
            const std::vector<View>& writes, Work work, const std::vector<int>& nodes = {});

  const graph::Graph& graph_;
  const std::vector<graph::Extent>& extents_;
  const Fusions& fusions_;
  DataType type_;
  bool tf32_;  // convolutions may round their factors
  const kernels::Chip& chip_;
  const kernels::ConvTuning& tuning_;
  WeightStore& weights_;
  Program program_;
  std::vector<kernels::CudaConvProblem> convolutions_;
  std::vector<View> stored_;
  std::map<graph::ValueId, kernels::MapGroups> groups_apart_;  // of the values that make_apart made
  std::vector<int> last_reader_;  // by value: index of the last node that reads its numbers; beyond all for outputs
  std::vector<bool> shared_;      // by buffer: more than one value looks into it
  /// What the last convolution so far brings into L2: packed weights of the next one, once it is built.
  struct NextWeights {
    const void* data = nullptr;
    std::size_t bytes = 0;
  };
  std::shared_ptr<NextWeights> next_weights_;
  int zeroed_buffer_ = -1;
  int node_ = 0;  // being built
};

}  // namespace maskrt::cuda
