// Which queries are instances.
#pragma once

#include <vector>

#include "sparse_inst.h"

namespace maskrt::kernels {

/// A query whose best class passes the threshold, with its score before rescoring.
struct Candidate {
  int query = 0, class_id = 0;
  float score = 0;
};

/// In the order of the queries: sqrt(sigmoid(class) * sigmoid(objectness)) of the first best class, kept if greater
/// than the threshold. The products are compared and not the logits: where they saturate, the first of the equal wins.
std::vector<Candidate> select_candidates(const Tensor& class_logits, const Tensor& objectness_logits, std::int64_t b,
                                         float threshold);

/// The score after rescoring with the mask's probabilities above the threshold.
inline float rescored(float score, double sum_above, std::int64_t count_above) {
  return score * (static_cast<float>(sum_above) / (static_cast<float>(count_above) + 1e-6f));
}

}  // namespace maskrt::kernels
