#include "network.h"

#include <algorithm>

#include "openmp_threads.h"
#include "program_builder.h"

namespace maskrt::cpu {

CpuNetwork::CpuNetwork(graph::Graph graph, Precision precision)
    : graph_(std::move(graph)), precision_(precision), chooser_(precision == Precision::bf16) {
  graph::check(graph_);
}

Program CpuNetwork::compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) {
  const std::vector<graph::Extent> extents = graph::infer_extents(graph_, batch, height, width);
  const std::lock_guard lock(compiling_);
  const OpenMpThreads scope(threads);
  const double before = chooser_.measuring_seconds();
  const PrecisionPlan precision =
      precision_ == Precision::bf16 ? bf16_plan(graph_, extents, chooser_, threads) : fp32_plan(graph_);
  Program program = ProgramBuilder(graph_, extents, precision, threads, chooser_, weights_).build();
  program.tuning_seconds = chooser_.measuring_seconds() - before;
  return program;
}

}  // namespace maskrt::cpu
