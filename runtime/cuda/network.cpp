#include "network.h"

#include "conv_tuner.h"
#include "fused_kernels.h"
#include "graph/rewrites/rewrites.h"
#include "list_runs.h"
#include "precision_plan.h"
#include "program_builder.h"
#include "runtime/tuning_file.h"

namespace maskrt::cuda {

CudaNetwork::CudaNetwork(graph::LoweredNetwork network, Precision precision, KernelLibrary& library)
    : CudaNetwork(
          std::move(network), fused_kernels(precision),
          [precision](const graph::Graph& planned, const std::vector<graph::Extent>& extents) {
            return uniform_plan(planned, extents, precision);
          },
          library) {}

CudaNetwork::CudaNetwork(graph::LoweredNetwork network, const graph::FusedKernels& kernels,
                         PlanPrecision plan_precision, KernelLibrary& library)
    : network_(graph::unfused(std::move(network.graph), kernels), network.head, network.kept),
      plan_precision_(std::move(plan_precision)),
      library_(library),
      weights_(library.context()) {}

graph::LoweredNetwork CudaNetwork::ordered(const std::vector<graph::Extent>& extents) const {
  return {with_lists_together(graph(), extents, plan_precision_(graph(), extents), library_.context()->chip()),
          network_.head, network_.kept};
}

Program CudaNetwork::compile(std::int64_t batch, std::int64_t height, std::int64_t width, int) {
  const std::vector<graph::Extent> extents = graph::infer_extents(graph(), batch, height, width);
  const graph::LoweredNetwork network = ordered(extents);
  const PrecisionPlan precision = plan_precision_(network.graph, extents);
  const kernels::Chip& chip = library_.context()->chip();
  Program program = ProgramBuilder(network, extents, precision, chip, tuning_, weights_).build();
  attach_head(program, network, extents);
  return program;
}

std::string CudaNetwork::use_tuning(const std::string& file) {
  tuning_ = kernels::ConvTuning::parse(read_tuning_file(file), file);
  if (tuning_.count_for(library_.context()->chip()) != 0) return {};
  return file + " has no choices for " + library_.context()->name();
}

std::vector<kernels::CudaConvProblem> CudaNetwork::convolutions(std::int64_t batch, std::int64_t height,
                                                                std::int64_t width) {
  const kernels::Chip& chip = library_.context()->chip();
  const std::vector<graph::Extent> extents = graph::infer_extents(graph(), batch, height, width);
  const graph::LoweredNetwork network = ordered(extents);
  const PrecisionPlan precision = plan_precision_(network.graph, extents);
  ProgramBuilder builder(network, extents, precision, chip, tuning_, weights_);
  builder.build();
  std::vector<kernels::CudaConvProblem> distinct;
  kernels::ConvTuning seen;
  for (const kernels::CudaConvProblem& problem : builder.convolutions()) {
    const std::size_t before = seen.size();
    seen.set(problem, chip, kernels::plan_conv(problem, chip).choice);
    if (seen.size() != before) distinct.push_back(problem);
  }
  return distinct;
}

std::string CudaNetwork::tune(std::int64_t batch, std::int64_t height, std::int64_t width, DeviceStream& stream,
                              const TuningProgress& progress) {
  const std::vector<kernels::CudaConvProblem> problems = convolutions(batch, height, width);
  kernels::ConvTuning tuning = tuning_;
  tune_convs(
      problems, static_cast<SessionStream&>(stream), time_on_gpu,
      [&](std::size_t done) {
        if (progress) progress(done, problems.size());
      },
      tuning);
  return tuning.text();
}

}  // namespace maskrt::cuda
