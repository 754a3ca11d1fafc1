// What the devices' program builders share: values and their readers, buffers, steps.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "precision_plan.h"
#include "view.h"

namespace maskrt {

/// The part of building a program for one shape that does not depend on the device. A device's builder derives from it,
/// walks over the nodes with node_, and adds buffers and steps.
class ProgramBase {
 protected:
  /// All of them outlive the builder.
  ProgramBase(const graph::Graph& graph, const std::vector<graph::Extent>& extents, const PrecisionPlan& precision);
  ~ProgramBase() = default;

  const graph::Node& node() const { return graph_.nodes[static_cast<std::size_t>(node_)]; }
  const std::string& name_of_value(graph::ValueId value) const {
    return graph_.values[static_cast<std::size_t>(value)].name;
  }
  const graph::Extent& extent(graph::ValueId value) const { return extents_[static_cast<std::size_t>(value)]; }
  /// What a value is stored in.
  DataType value_type(graph::ValueId value) const { return precision_.value[static_cast<std::size_t>(value)]; }
  /// What the current node computes in.
  Precision node_precision() const { return precision_.node[static_cast<std::size_t>(node_)]; }

  int new_buffer(const std::string& name, std::size_t bytes, bool scratch = false);
  /// A dense tensor with a value's extents, in a buffer of its own that is named after the value.
  View new_view(graph::ValueId value, DataType type, std::int64_t block);
  /// Memory that the current node's step alone needs.
  View new_scratch(std::size_t bytes);

  /// From now on several values look into the view's buffer: none of them may be overwritten.
  void share(const View& view) { shared_[static_cast<std::size_t>(view.buffer)] = true; }
  /// Whether the current node, which reads `value` as input `input` alone, may write its output over `stored`, which
  /// holds that value: the node is the last reader of its numbers, and its buffer holds nothing else.
  bool may_overwrite(std::size_t input, const View& stored) const;

  Program::Binding binding(graph::ValueId value, const View& view) const {
    return {view.buffer, view.offset, view.tensor, extent(value)};
  }

  /// The node whose module reorders of a value belong to: the one that made it; of the network's input, which is in no
  /// module, the one that reads it.
  const graph::Node& owner_of(graph::ValueId value) const;

  /// Appends a step without costs, of the module of `owner`. Views without a buffer are left out of what it reads and
  /// writes.
  Step& append_step(const graph::Node& owner, std::string name, std::string operation, std::string algorithm,
                    const std::vector<View>& reads, const std::vector<View>& writes,
                    std::function<void(const Addresses&)> run);
  /// Work of the current node, with `element` bytes a number.
  graph::Cost node_cost(std::size_t element) const { return graph::cost_of(graph_, node(), extents_, element); }

  const graph::Graph& graph_;
  const std::vector<graph::Extent>& extents_;
  const PrecisionPlan& precision_;
  Program program_;
  int node_ = 0;  ///< index of the current node

 private:
  std::vector<int> last_reader_;  // by value: index of the last node that reads its numbers; beyond all for outputs
  std::vector<bool> shared_;      // by buffer: more than one value looks into it
};

}  // namespace maskrt
