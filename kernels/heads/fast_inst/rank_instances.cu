// Pairs of a query and a class, with the masks of their queries, to the batch's instances: the score of a pair is its
// probability times the mean of its mask's probabilities; the best comes first, of equal ones the lower query, then the
// lower class.
//
// One block, an image after the other: a thread's rank among the image's pairs is the number of larger keys, which are
// in shared memory. Several pairs may have one query: their records name the same bits and run lengths.
// Example: 100 pairs, of which 80 are of things and 3 score too little: ranks 0 to 76.
// Bound by latency.
// Launch: one block of 256 threads, 16 KB of static shared memory.
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/select/select.h"
#include "kernels/select/select_key.h"
#include "pairs.cuh"

namespace maskrt::kernels::cuda {

extern "C" __global__ void __launch_bounds__(kRankThreads)
    rank_instances(const __grid_constant__ RankInstancesParams p) {
  __shared__ std::uint64_t keys[kMostSelected];
  __shared__ int found;
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int thread = static_cast<int>(threadIdx.x), count = p.pairs.count;
  const MaskCall& call = *p.call;
  unsigned first = 0;
  for (int b = 0; b < p.batch; ++b) {
    if (thread == 0) {
      p.first_of_image[b] = first;
      found = 0;
    }
    const auto pair_at = [&](int i) { return pair_of(p.pairs, b * count + i); };
    const auto job_of = [&](const QueryClassPair& pair) {
      return p.queries.job_of[b * p.queries_of_image + pair.query];
    };
    const auto score_of = [&](const QueryClassPair& pair, int job) {
      const double sum = static_cast<double>(p.queries.inside[job]) * 0x1p-32;
      const auto area = static_cast<double>(p.queries.records[job].area);
      return static_cast<float>(static_cast<double>(pair.probability) * (sum / (area + 1e-6)));
    };
    for (int i = thread; i < count; i += kRankThreads) {
      const QueryClassPair pair = pair_at(i);
      std::uint64_t key = 0;
      if (may_be_instance(p.pairs, pair, call.minimum_score)) {
        const float score = score_of(pair, job_of(pair));
        if (!(score < call.minimum_score)) key = select_key(__float_as_uint(score), p.pairs.positions[b * count + i]);
      }
      keys[i] = key;
    }
    __syncthreads();
    for (int i = thread; i < count; i += kRankThreads) {
      const std::uint64_t own = keys[i];
      if (own == 0) continue;
      int rank = 0;
      for (int j = 0; j < count; ++j) rank += keys[j] > own ? 1 : 0;
      const QueryClassPair pair = pair_at(i);
      const int job = job_of(pair);
      InstanceRecord record = p.queries.records[job];
      if (call.masks == 0) {
        record = {};
        record.image = b;
        record.query = pair.query;
        record.left = record.top = 0x7fffffff;
        record.right = record.bottom = -1;
      }
      record.class_id = pair.class_id;
      record.score = score_of(pair, job);
      p.records[first + static_cast<unsigned>(rank)] = record;
      atomicAdd(&found, 1);
    }
    __syncthreads();
    first += static_cast<unsigned>(found);
    __syncthreads();
  }
  if (thread != 0) return;
  p.first_of_image[p.batch] = first;
  InstanceHeader header = *p.queries.header;
  header.instances = first;
  *p.header = header;
}

}  // namespace maskrt::kernels::cuda
