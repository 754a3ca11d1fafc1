// The preparation of weights, of several layers at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace maskrt::cpu {

struct WeightJob {
  std::size_t bytes = 0;  ///< of memory that it takes meanwhile
  std::function<void()> run;
};

/// Runs all jobs on OpenMP threads, the largest first, when little else is in memory. Those that run at a time take no
/// more than some tens of megabytes, or it is one alone. An exception of one is thrown when all that run have ended.
void run_weight_jobs(std::vector<WeightJob> jobs, int threads);

}  // namespace maskrt::cpu
