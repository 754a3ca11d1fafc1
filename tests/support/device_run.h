// A graph on the CPU device, from and to the interpreter's maps.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "graph/memory_plan.h"
#include "interpreter.h"
#include "runtime/cpu/cpu_device.h"
#include "runtime/executor.h"

namespace maskrt::testing {

/// MASKRT_CPU_TUNE for the networks that are prepared meanwhile.
class Tuning {
 public:
  explicit Tuning(const char* value) { ::setenv("MASKRT_CPU_TUNE", value, 1); }
  ~Tuning() { ::unsetenv("MASKRT_CPU_TUNE"); }
  Tuning(const Tuning&) = delete;
  Tuning& operator=(const Tuning&) = delete;
};

/// Outputs by name, and what was done for them.
struct DeviceRun {
  std::map<std::string, Map> outputs;
  std::vector<std::string> algorithms;  ///< "conv winograd fp32", one for each step
};

/// Compiles and runs once on `threads` threads. All memory but the input holds NaN before the run, so that a number
/// which nobody wrote is seen.
inline DeviceRun run_on_cpu(Network& network, const Map& input, int threads) {
  const auto stream = cpu::CpuDevice().open_stream({threads});
  const Program program = network.compile(input.extent.batch, input.extent.height, input.extent.width, threads);
  const graph::MemoryPlan plan = graph::plan_memory(lifetimes(program));
  std::byte* arena = stream->allocate(plan.bytes);
  std::memset(arena, 0xFF, plan.bytes);
  const auto bind = [&](const Program::Binding& binding) {
    kernels::Tensor tensor = binding.tensor;
    tensor.data = arena + plan.offsets[static_cast<std::size_t>(binding.buffer)] + binding.byte_offset;
    return tensor;
  };
  const kernels::Tensor in = bind(program.input);
  std::memset(in.data, 0, in.bytes());  // its padding channels are zeros by contract
  stream->write(in, to_nchw(input));
  DeviceRun result;
  stream->run(program.steps, Addresses{arena, plan.offsets.data(), stream.get()});
  for (const auto& [name, binding] : program.outputs)
    result.outputs[name] = from_nchw(binding.extent, stream->read(bind(binding), binding.extent.list));
  for (const Step& step : program.steps) result.algorithms.push_back(step.operation + " " + step.algorithm);
  stream->release(arena, plan.bytes);
  return result;
}

/// rms(got - want) / rms(want), and every number there.
inline double distance(const Map& got, const Map& want) {
  REQUIRE(got.extent == want.extent);
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < want.data.size(); ++i) {
    if (!std::isfinite(got.data[i])) FAIL("number " << i << ": got " << got.data[i] << ", want " << want.data[i]);
    difference += (got.data[i] - want.data[i]) * (got.data[i] - want.data[i]);
    size += want.data[i] * want.data[i];
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

}  // namespace maskrt::testing
