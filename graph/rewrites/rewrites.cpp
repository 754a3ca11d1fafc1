#include "rewrites.h"

#include <algorithm>
#include <array>

namespace maskrt::graph {

namespace {

/// A rewrite that looks at the graph alone.
template <void (*rewrite)(Graph&)>
void plain(Graph& graph, Head&, const FusedKernels&) {
  rewrite(graph);
}
/// A rewrite into a fused operation, of which it makes what the device's kernels take.
template <void (*rewrite)(Graph&, const FusedKernels&)>
void fused(Graph& graph, Head&, const FusedKernels& kernels) {
  rewrite(graph, kernels);
}
/// A rewrite that changes what the head reads.
template <void (*rewrite)(Graph&, Head&)>
void of_head(Graph& graph, Head& head, const FusedKernels&) {
  rewrite(graph, head);
}

}  // namespace

std::span<const Rewrite> rewrites() {
  // The order does not affect exactness, but which patterns match: fuse-iam consumes sigmoids before fuse-epilogue can,
  // a fusion layer is split before its terms are composed, and siblings are merged last, because a merged convolution
  // cannot be composed any more. The slices that merging leaves are the halves that pair-convs matches. Rewrites into
  // fused operations come at the end, because no other rewrite matches these.
  static constexpr std::array<Rewrite, 20> all = {{
      {"fold-batch-norm", "BatchNorm into the convolution before it", plain<fold_batch_norm>},
      {"linear-as-conv", "a linear layer on the pixels of a map is a 1x1 convolution", plain<linear_as_conv>},
      {"fuse-iam", "sigmoid, normaliser (or softmax) and aggregation into one operation", plain<fuse_iam>},
      {"coordinate-term", "coordinate channels become a term of the convolution that reads them",
       plain<coordinate_term>},
      {"fuse-epilogue", "residual and activation into the convolution before (activation into other layers, too)",
       plain<fuse_epilogue>},
      {"split-concat", "1x1 convolution of a concat becomes a sum, each term at its own resolution",
       plain<split_concat>},
      {"compose-convs", "1x1 convolution into the convolution before it", plain<compose_convs>},
      {"reassociate-masks", "mask kernels meet the features before the projection", plain<reassociate_masks>},
      {"late-positions", "a constant map in the sum that a 1x1 convolution reads becomes its residual",
       plain<late_positions>, true},
      {"merge-siblings", "convolutions that read the same value become one", plain<merge_siblings>},
      {"pair-convs", "convolutions over the two halves of a value become one of two groups", plain<pair_convs>, true},
      {"sum-resized", "the sum of a map and of resized ones into the resize", plain<sum_resized>, true},
      {"resize-masks-late", "the head doubles the mask logits on its own, piece by piece", of_head<resize_masks_late>,
       true},
      {"upsample-residual", "nearest upsampling into the convolution that adds its result", fused<upsample_residual>,
       true},
      {"pyramid-pool", "average pools and the two 1x1 convolutions behind each into one operation",
       fused<fuse_pyramid_pool>, true},
      {"regroup-linear", "a regrouping into the linear layer that reads it", fused<regroup_linear>, true},
      {"linear-heads", "linear layers that read the same list into one operation", fused<fuse_linear_heads>, true},
      {"stem-pool", "the first convolution and its max pool into one operation", fused<fuse_stem_pool>, true},
      {"pooled-conv", "an average pool and the 1x1 convolution behind it into one operation", fused<fuse_pooled_conv>,
       true},
      {"late-logits-bias", "the bias of activation logits into the aggregation", fused<late_logits_bias>, true},
  }};
  return all;
}

namespace {

void require_known(const RewriteNames& asked) {
  const auto known = rewrites();
  for (const auto& name : asked) {
    if (std::any_of(known.begin(), known.end(), [&](const Rewrite& r) { return r.name == name; })) continue;
    std::string names;
    for (const auto& r : known) names += (names.empty() ? "" : ", ") + std::string(r.name);
    throw Error("expected the name of a rewrite (" + names + "), found " + name);
  }
}

}  // namespace

void rewrite(Graph& graph, const RewriteNames& off, const RewriteNames& wanted, const FusedKernels& kernels) {
  Head none;
  rewrite(graph, none, off, wanted, kernels);
}

void rewrite(Graph& graph, Head& head, const RewriteNames& off, const RewriteNames& wanted,
             const FusedKernels& kernels) {
  require_known(off);
  require_known(wanted);
  check(graph);
  graph.remove_dead_nodes();
  for (const auto& step : rewrites())
    if (off.count(step.name) == 0 && (!step.on_request || wanted.count(step.name) != 0))
      step.apply(graph, head, kernels);
  check(graph);
}

}  // namespace maskrt::graph
