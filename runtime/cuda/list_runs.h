// Which nodes of a graph become list programs (kernels/lists/list_program_cuda.h).
#pragma once

#include <cstddef>
#include <vector>

#include "graph/graph.h"
#include "kernels/cuda/launch.h"
#include "runtime/precision_plan.h"

namespace maskrt::cuda {

/// Whether a list program has the node's steps: all it reads and makes are lists, its layers compute in fp16, and their
/// extents are ones that the kernel takes. False on chips without that kernel.
bool is_of_lists(const graph::Node& node, const std::vector<graph::Extent>& extents, Precision precision,
                 const kernels::Chip& chip);

/// Steps that the node takes in a program; views take none.
std::size_t list_steps_of(const graph::Node& node);

/// Nodes first .. end - 1, one after another, that become list programs.
struct ListRun {
  int first = 0, end = 0;
};
/// All of a graph, in ascending order: neighbours that are of lists, where they are enough steps to pay.
std::vector<ListRun> list_runs(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                               const PrecisionPlan& precision, const kernels::Chip& chip);

/// The graph with its nodes in an order that brings together those of lists: each as early as what it reads allows, all
/// that wait for the same maps side by side. Other nodes keep their order among themselves.
graph::Graph with_lists_together(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                                 const PrecisionPlan& precision, const kernels::Chip& chip);

}  // namespace maskrt::cuda
