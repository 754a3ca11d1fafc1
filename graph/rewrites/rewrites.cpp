#include "rewrites.h"

#include <algorithm>
#include <array>

namespace maskrt::graph {

std::span<const Rewrite> rewrites() {
  // The order matters little for what is exact and much for what is found: sigmoids leave through the IAM before an
  // epilogue can take them, a fusion layer is split before its parts are composed, and siblings merge last, because a
  // merged convolution is nobody's inner or outer one.
  static constexpr std::array<Rewrite, 8> all = {{
      {"fold-batch-norm", "BatchNorm into the convolution before it", fold_batch_norm},
      {"fuse-iam", "sigmoid, normaliser (or softmax) and aggregation into one operation", fuse_iam},
      {"coordinate-term", "coordinate channels become a term of the convolution that reads them", coordinate_term},
      {"fuse-epilogue", "residual and activation into the convolution (activation into linear)", fuse_epilogue},
      {"split-concat", "1x1 convolution of a concat becomes a sum, each term at its own resolution", split_concat},
      {"compose-convs", "1x1 convolution into the convolution before it", compose_convs},
      {"reassociate-masks", "mask kernels meet the features before the projection", reassociate_masks},
      {"merge-siblings", "convolutions that read the same value become one", merge_siblings},
  }};
  return all;
}

void rewrite(Graph& graph, const std::set<std::string, std::less<>>& off) {
  for (const auto& name : off) {
    const auto known = rewrites();
    if (std::any_of(known.begin(), known.end(), [&](const Rewrite& r) { return r.name == name; })) continue;
    std::string names;
    for (const auto& r : known) names += (names.empty() ? "" : ", ") + std::string(r.name);
    throw Error("expected the name of a rewrite (" + names + "), found " + name);
  }
  check(graph);
  graph.remove_dead_nodes();
  for (const auto& step : rewrites())
    if (off.find(step.name) == off.end()) step.apply(graph);
  check(graph);
}

}  // namespace maskrt::graph
