#include "network.h"

#include "conv_tuner.h"
#include "program_builder.h"
#include "runtime/tuning_file.h"

namespace maskrt::cuda {

CudaNetwork::CudaNetwork(graph::LoweredNetwork network, Precision precision, KernelLibrary& library)
    : network_(std::move(network)),
      precision_(precision),
      fusions_(find_fusions(graph(), precision)),
      library_(library),
      weights_(library.context()) {
  graph::check(graph());
}

Program CudaNetwork::compile(std::int64_t batch, std::int64_t height, std::int64_t width, int) {
  const std::vector<graph::Extent> extents = graph::infer_extents(graph(), batch, height, width);
  const kernels::Chip& chip = library_.context()->chip();
  Program program = ProgramBuilder(network_, extents, fusions_, precision_, chip, tuning_, weights_).build();
  attach_head(program, network_, extents);
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
  ProgramBuilder builder(network_, extents, fusions_, precision_, chip, tuning_, weights_);
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
