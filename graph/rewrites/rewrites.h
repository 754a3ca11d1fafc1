// Rewrites: small steps that make a graph cheaper and leave its outputs as they are in real arithmetic.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace maskrt::graph {

struct Rewrite {
  std::string_view name;  ///< as ModelOptions::rewrites_off and docs/graph.md name it
  std::string_view what;  ///< one sentence
  void (*apply)(Graph&);
  bool on_request = false;  ///< pays on some devices alone: left out where nobody asks for it
};

/// All rewrites, in the order in which they run.
std::span<const Rewrite> rewrites();

using RewriteNames = std::set<std::string, std::less<>>;

/// Runs all rewrites but those named in `off`; those on request where `wanted` names them. Outputs keep their names; a
/// value that is not an output may disappear: to see it, make it an output first. Throws Error for a name that is no
/// rewrite.
void rewrite(Graph& graph, const RewriteNames& off = {}, const RewriteNames& wanted = {});

// One file each:
void fold_batch_norm(Graph&);    ///< BatchNorm into the convolution before it
void fuse_epilogue(Graph&);      ///< activation and residual into the convolution (activation into linear)
void coordinate_term(Graph&);    ///< conv(concat(coordinates, x)) -> conv(x) with a coordinate term
void split_concat(Graph&);       ///< 1x1 conv of a concat -> a sum of 1x1 convs, each at its input's own resolution
void compose_convs(Graph&);      ///< 1x1 conv after a conv without activation -> one conv
void merge_siblings(Graph&);     ///< convs that read the same value -> one conv and slices
void pair_convs(Graph&);         ///< convs over the two halves of one value -> one conv of two groups, and slices
void fuse_iam(Graph&);           ///< sigmoid, normaliser (or softmax) and aggregation -> AggregateLogits
void reassociate_masks(Graph&);  ///< kernel x (projection x features) -> (kernel x projection) x features

}  // namespace maskrt::graph
