#include "rewrites.h"

#include <algorithm>
#include <array>

namespace maskrt::graph {

std::span<const Rewrite> rewrites() {
  // The order matters little for what is exact and much for what is found: sigmoids leave through the IAM before an
  // epilogue can take them, a fusion layer is split before its parts are composed, and siblings merge last, because a
  // merged convolution is nobody's inner or outer one. What they leave are the halves that pairs are made of.
  static constexpr std::array<Rewrite, 10> all = {{
      {"fold-batch-norm", "BatchNorm into the convolution before it", fold_batch_norm},
      {"fuse-iam", "sigmoid, normaliser (or softmax) and aggregation into one operation", fuse_iam},
      {"coordinate-term", "coordinate channels become a term of the convolution that reads them", coordinate_term},
      {"fuse-epilogue", "residual and activation into the convolution (activation into linear)", fuse_epilogue},
      {"split-concat", "1x1 convolution of a concat becomes a sum, each term at its own resolution", split_concat},
      {"compose-convs", "1x1 convolution into the convolution before it", compose_convs},
      {"reassociate-masks", "mask kernels meet the features before the projection", reassociate_masks},
      {"merge-siblings", "convolutions that read the same value become one", merge_siblings},
      {"pair-convs", "convolutions over the two halves of a value become one of two groups", pair_convs, true},
      {"resize-masks-late", "the head doubles the mask logits, piece by piece, on its own", nullptr, true, resize_masks_late},
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
  Head none;
  rewrite(graph, none, off, wanted);
}

void rewrite(Graph& graph, Head& head, const RewriteNames& off, const RewriteNames& wanted) {
  require_known(off);
  require_known(wanted);
  check(graph);
  graph.remove_dead_nodes();
  for (const auto& step : rewrites()) {
    if (off.count(step.name) != 0 || (step.on_request && wanted.count(step.name) == 0)) continue;
    if (step.apply != nullptr) step.apply(graph);
    if (step.apply_to_head != nullptr) step.apply_to_head(graph, head);
  }
  check(graph);
}

}  // namespace maskrt::graph
