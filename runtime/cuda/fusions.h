// Nodes that one kernel computes together: what the graph keeps apart because other devices do, and the CUDA kernels do
// not. Values that somebody else reads stay apart.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "graph/graph.h"
#include "runtime/device.h"

namespace maskrt::cuda {

/// An adaptive average pool, the 1x1 convolution that reads it, and the 1x1 convolution that reads that.
struct PyramidNodes {
  int pool = -1, stage = -1, bottleneck = -1;
};

/// Indices are those of Graph::nodes.
struct Fusions {
  std::vector<bool> inside;  ///< by node: another node's kernel does its work, so it has none of its own

  std::map<int, int> upsampled_residual;             ///< by convolution: the x2 upsampling whose result it adds
  std::map<int, int> regroup;                        ///< by linear layer: the regrouping that it reads through
  std::map<int, std::vector<int>> heads;             ///< by the first linear layer on a list: all, itself included
  std::map<int, std::vector<PyramidNodes>> pyramid;  ///< by the first pool of a map: the pyramid on it
  std::set<int> grouped_maps;                        ///< convolutions of groups that an aggregation alone reads
  std::map<int, int> pooled_stem;                    ///< by pool: the convolution that it alone reads, a stem in fp16
};

/// What there is a kernel for in this precision.
Fusions find_fusions(const graph::Graph& graph, Precision precision);

}  // namespace maskrt::cuda
