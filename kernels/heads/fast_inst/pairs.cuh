// Which pairs of a query and a class may become instances.
#pragma once

#include "fast_inst_params.h"

namespace maskrt::kernels::cuda {

struct QueryClassPair {
  int query, class_id;
  float probability;
};

__device__ inline QueryClassPair pair_of(const QueryClassPairs& pairs, int i) {
  const int position = pairs.positions[i], query = position / pairs.stride;
  return {query, position - query * pairs.stride, pairs.probabilities[i]};
}

/// Whether it may: scores are its probability times a mean of probabilities, which is below 1.
__device__ inline bool may_be_instance(const QueryClassPairs& pairs, const QueryClassPair& pair, float minimum_score) {
  return !(pair.probability < minimum_score) && (pairs.things == nullptr || pairs.things[pair.class_id] != 0);
}

}  // namespace maskrt::kernels::cuda
