// A network on the GPU without a session, from and to the interpreter's maps.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "graph/memory_plan.h"
#include "runtime/cuda/network.h"
#include "runtime/cuda/session_stream.h"
#include "runtime/executor.h"
#include "support/gpu.h"
#include "support/interpreter.h"

namespace maskrt::testing {

/// Outputs by name, and what was done for them.
struct GpuRun {
  std::map<std::string, Map> outputs;
  std::map<std::string, DataType> stored;  ///< as what each output lies on the device
  std::vector<std::string> operations;     ///< of each step
};

/// Compiles and runs once. All memory holds bytes of 0xFF before the run, NaN in every type, so that a number which no
/// kernel wrote is seen.
inline GpuRun run_on_gpu(cuda::CudaNetwork& network, const Map& input) {
  cuda::SessionStream stream(Gpu::instance().library(), {});
  const Program program = network.compile(input.extent.batch, input.extent.height, input.extent.width, 1);
  const graph::MemoryPlan plan = graph::plan_memory(lifetimes(program));
  std::byte* const arena = stream.allocate(plan.bytes);
  stream.queue().set_bytes(arena, 0xFF, plan.bytes);
  const auto bind = [&](const Program::Binding& binding) {
    kernels::Tensor tensor = binding.tensor;
    tensor.data = arena + plan.offsets[static_cast<std::size_t>(binding.buffer)] + binding.byte_offset;
    return tensor;
  };
  stream.write(bind(program.input), to_nchw(input));
  stream.run(program.steps, Addresses{arena, plan.offsets.data(), &stream});
  GpuRun result;
  for (const auto& [name, binding] : program.outputs) {
    result.outputs[name] = from_nchw(binding.extent, stream.read(bind(binding), binding.extent.list));
    result.stored[name] = binding.tensor.type;
  }
  for (const Step& step : program.steps) result.operations.push_back(step.operation);
  stream.release(arena, plan.bytes);
  return result;
}

/// The largest difference, as a share of the largest number that was wanted; infinite where a number is NaN.
inline double share_of_largest(const Map& got, const Map& want) {
  double difference = 0, largest = 1e-30;
  for (std::size_t i = 0; i < want.data.size(); ++i) {
    const double apart = std::abs(got.data.at(i) - want.data[i]);
    if (!(apart <= difference)) difference = std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
    largest = std::max(largest, std::abs(want.data[i]));
  }
  return difference / largest;
}

}  // namespace maskrt::testing
