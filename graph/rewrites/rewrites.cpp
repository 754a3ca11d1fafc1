#include "rewrites.h"

#include <algorithm>
#include <array>

namespace maskrt::graph {

std::span<const Rewrite> rewrites() {
  // The order does not affect exactness, but which patterns match: fuse-iam consumes sigmoids before fuse-epilogue can,
  // a fusion layer is split before its terms are composed, and siblings are merged last, because a merged convolution
  // cannot be composed any more. The slices that merging leaves are the halves that pair-convs matches.
  static constexpr std::array<Rewrite, 9> all = {{
      {"fold-batch-norm", "BatchNorm into the convolution before it", fold_batch_norm},
      {"fuse-iam", "sigmoid, normaliser (or softmax) and aggregation into one operation", fuse_iam},
      {"coordinate-term", "coordinate channels become a term of the convolution that reads them", coordinate_term},
      {"fuse-epilogue", "residual and activation into the convolution (activation into linear)", fuse_epilogue},
      {"split-concat", "1x1 convolution of a concat becomes a sum, each term at its own resolution", split_concat},
      {"compose-convs", "1x1 convolution into the convolution before it", compose_convs},
      {"reassociate-masks", "mask kernels meet the features before the projection", reassociate_masks},
      {"merge-siblings", "convolutions that read the same value become one", merge_siblings},
      {"pair-convs", "convolutions over the two halves of a value become one of two groups", pair_convs, true},
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

void rewrite(Graph& graph, const RewriteNames& off, const RewriteNames& wanted) {
  require_known(off);
  require_known(wanted);
  check(graph);
  graph.remove_dead_nodes();
  for (const auto& step : rewrites())
    if (off.count(step.name) == 0 && (!step.on_request || wanted.count(step.name) != 0)) step.apply(graph);
  check(graph);
}

}  // namespace maskrt::graph
