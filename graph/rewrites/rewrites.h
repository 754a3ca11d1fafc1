// Rewrites: small steps that make a graph cheaper and leave its outputs as they are in real arithmetic.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/fused_kernels.h"
#include "graph/heads.h"

namespace maskrt::graph {

struct Rewrite {
  std::string_view name;  ///< as ModelOptions::rewrites_off and docs/graph.md name it
  std::string_view what;  ///< one sentence
  /// `kernels` are the device's: a rewrite into a fused operation makes what they take. What the head reads is an
  /// output of the graph before and after.
  void (*apply)(Graph&, Head&, const FusedKernels& kernels);
  bool on_request = false;  ///< pays on some devices only: runs where a device wants it
};

/// All rewrites, in the order in which they run.
std::span<const Rewrite> rewrites();

using RewriteNames = std::set<std::string, std::less<>>;

/// Runs all rewrites but those named in `off`; those on request where `wanted` names them, for a device with such
/// kernels. Outputs keep their names; a value that is not an output may disappear: to keep it, make it an output first.
/// Throws Error for a name that is no rewrite. The first form is for a graph without a head.
void rewrite(Graph& graph, const RewriteNames& off = {}, const RewriteNames& wanted = {},
             const FusedKernels& kernels = {});
void rewrite(Graph& graph, Head& head, const RewriteNames& off = {}, const RewriteNames& wanted = {},
             const FusedKernels& kernels = {});

/// The graph with the operations that they stand for in the place of fused ones that `kernels` do not take. Devices do
/// this with what they are given, which may be a file's. Throws Error where the graph breaks its rules, or has more
/// nodes than a file may have.
Graph unfused(Graph graph, const FusedKernels& kernels = {});

/// The 1x1 convolution that a linear layer is on a map.
Conv as_conv(const Linear& linear);

// One file each:
void fold_batch_norm(Graph&);  ///< BatchNorm into the convolution before it
void linear_as_conv(Graph&);   ///< linear layer on the pixels of a map -> 1x1 convolution
void fuse_epilogue(Graph&);    ///< activation and residual into the layer before
void coordinate_term(Graph&);  ///< conv(concat(coordinates, x)) -> conv(x) with a coordinate term
void split_concat(Graph&);     ///< 1x1 conv of a concat -> a sum of 1x1 convs, each at its input's own resolution
void compose_convs(Graph&);    ///< 1x1 conv after a conv without activation -> one conv
void merge_siblings(Graph&);   ///< convs that read the same value -> one conv and slices
void pair_convs(Graph&);       ///< convs over the two halves of one value -> one conv of two groups, and slices
void fuse_iam(Graph&);         ///< sigmoid, normaliser (or softmax) and aggregation -> AggregateLogits
void resize_masks_late(Graph&, Head&);  ///< the doubling of the mask logits into the head
void reassociate_masks(Graph&);         ///< kernel x (projection x features) -> (kernel x projection) x features

// On request, as those below:
void late_positions(Graph&);  ///< a constant map that a 1x1 convolution reads in a sum -> its residual
void sum_resized(Graph&);     ///< the sum of a map and of resized ones -> one resize

// Into fused operations (ops/fused.h), on request, one file each:
void upsample_residual(Graph&, const FusedKernels&);  ///< nearest upsampling before a sum -> Conv::residual_scale
void fuse_pyramid_pool(Graph&, const FusedKernels&);  ///< average pools, each with two 1x1 convolutions -> PyramidPool
void regroup_linear(Graph&, const FusedKernels&);     ///< regrouping before a linear layer -> LinearHeads of one head
void fuse_linear_heads(Graph&, const FusedKernels&);  ///< linear layers on one list -> LinearHeads
void fuse_stem_pool(Graph&, const FusedKernels&);     ///< first convolution and its max pool -> StemPool
void fuse_pooled_conv(Graph&, const FusedKernels&);   ///< average pool and the 1x1 convolution behind -> PooledConv
void late_logits_bias(Graph&, const FusedKernels&);   ///< bias of a convolution -> AggregateLogits behind it

}  // namespace maskrt::graph
