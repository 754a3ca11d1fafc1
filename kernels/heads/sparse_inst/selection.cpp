// Selection of instances among the queries.
#include "selection.h"

#include <cmath>

namespace maskrt::kernels {
namespace {

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

float at(const Tensor& list, std::int64_t b, std::int64_t query, std::int64_t channel) {
  return list.as<float>()[list.index(b, query, 0, channel)];
}

}  // namespace

std::vector<Candidate> select_candidates(const Tensor& class_logits, const Tensor& objectness_logits, std::int64_t b,
                                         float threshold) {
  std::vector<Candidate> candidates;
  for (std::int64_t query = 0; query < class_logits.height; ++query) {
    const float objectness = sigmoid(at(objectness_logits, b, query, 0));
    Candidate best{static_cast<int>(query), 0, 0};
    for (std::int64_t c = 0; c < class_logits.channels; ++c) {
      const float score = std::sqrt(sigmoid(at(class_logits, b, query, c)) * objectness);
      if (c == 0 || score > best.score) {
        best.class_id = static_cast<int>(c);
        best.score = score;
      }
    }
    if (best.score > threshold) candidates.push_back(best);
  }
  return candidates;
}

}  // namespace maskrt::kernels
