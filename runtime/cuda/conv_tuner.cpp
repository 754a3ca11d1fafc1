#include "conv_tuner.h"

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "event.h"
#include "kernels/element.h"

namespace maskrt::cuda {
namespace {

/// Numbers from -1 to 1 in a tensor's type, over and over: of zeros a GPU makes less heat, and so more speed.
std::vector<std::byte> random_numbers(DataType type) {
  constexpr std::size_t count = 1 << 20;
  std::minstd_rand random(1);
  std::vector<std::byte> bytes(count * size_of(type));
  const kernels::Tensor numbers = kernels::dense(bytes.data(), type, 1, 1, 1, count, 0);
  for (std::int64_t i = 0; i < numbers.channels; ++i)
    kernels::set(numbers, 0, 0, 0, i, static_cast<float>(random()) * (2.0f / 2147483648.0f) - 1.0f);
  return bytes;
}

/// Device memory for everything that a convolution touches.
class Operands {
 public:
  Operands(SessionStream& stream, const kernels::CudaConvProblem& problem, std::span<const kernels::CudaConvPlan> plans)
      : stream_(stream), random_(random_numbers(problem.in.type)) {
    std::size_t weights = 0, workspace = 0, counters = 0;
    for (const kernels::CudaConvPlan& plan : plans) {
      weights = std::max(weights, plan.weights.bytes());
      workspace = std::max(workspace, plan.workspace_bytes);
      counters = std::max(counters, plan.counter_bytes);
    }
    const auto channels = static_cast<std::size_t>(problem.out.channels);
    operands_.in = place(problem.in);
    operands_.out = place(problem.out);
    operands_.weights = filled(weights);
    operands_.scale = reinterpret_cast<const float*>(zeros(channels * sizeof(float)));
    operands_.bias = operands_.scale;
    if (problem.residual_kind != kernels::ConvResidual::none) operands_.residual = place(problem.residual);
    if (problem.coordinates) {
      const kernels::ConvGeometry& g = problem.geometry;
      const std::vector<float> none(channels * 2 * static_cast<std::size_t>(g.kernel_height * g.kernel_width));
      const auto table = kernels::make_coordinate_table(g, problem.in.type, none.data(), problem.out.channels,
                                                        problem.in.height, problem.in.width);
      std::byte* const bytes = memory_.emplace_back(stream.context(), table.bytes.size()).data();
      stream.upload(bytes, table.bytes.data(), table.bytes.size());
      stream.synchronize();
      operands_.coordinate_table = bytes;
    }
    operands_.workspace = memory_.emplace_back(stream.context(), workspace).data();
    operands_.counters = zeros(counters);
    stream.synchronize();
  }

  const kernels::CudaConvOperands& get() const { return operands_; }

 private:
  std::byte* zeros(std::size_t bytes) {
    std::byte* const data = memory_.emplace_back(stream_.context(), bytes).data();
    if (bytes != 0) stream_.queue().set_bytes(data, 0, bytes);
    return data;
  }

  std::byte* filled(std::size_t bytes) {
    std::byte* const data = memory_.emplace_back(stream_.context(), bytes).data();
    for (std::size_t at = 0; at < bytes; at += random_.size())
      stream_.upload(data + at, random_.data(), std::min(random_.size(), bytes - at));
    return data;
  }

  /// A tensor as far from a multiple of 16 as it is in the network.
  std::byte* place(const kernels::Tensor& tensor) {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(tensor.data) % 16;
    return filled(tensor.bytes() + 16) + offset;
  }

  SessionStream& stream_;
  std::vector<std::byte> random_;
  std::vector<DeviceMemory> memory_;
  kernels::CudaConvOperands operands_;
};

}  // namespace

double time_on_gpu(const SessionStream& stream, const std::function<void()>& launch, double predicted_seconds) {
  const Event begin(stream.context(), Event::Timing::yes), end(stream.context(), Event::Timing::yes);
  const auto best_of = [&](int rounds, int launches) {
    double best = std::numeric_limits<double>::infinity();
    for (int round = 0; round < rounds; ++round) {
      begin.record(stream.stream().get());
      for (int i = 0; i < launches; ++i) launch();
      end.record(stream.stream().get());
      end.synchronize();
      best = std::min(best, end.seconds_since(begin) / launches);
    }
    return best;
  };
  launch();
  constexpr double most_times = 100;  // far beyond what the model of a kernel errs by, and a launch costs
  if (const double one = best_of(3, 1); one <= 0 || one > most_times * predicted_seconds)
    throw Error("tune: expected a GPU with a clock to measure by, found " + stream.context()->name() +
                ", a device without a clock: by its events a convolution takes " + std::to_string(one * 1e6) +
                " us for which its chip needs about " + std::to_string(predicted_seconds * 1e6));
  return best_of(5, 20);
}

void tune_convs(std::span<const kernels::CudaConvProblem> problems, SessionStream& stream, const LaunchTimer& time,
                const std::function<void(std::size_t done)>& progress, kernels::ConvTuning& known) {
  const kernels::Chip& chip = stream.context()->chip();
  for (std::size_t done = 0; const kernels::CudaConvProblem& problem : problems) {
    std::vector<kernels::CudaConvPlan> plans;
    for (const kernels::ConvChoice& choice : kernels::conv_choices(problem, chip))
      plans.push_back(kernels::plan_conv(problem, chip, &choice));
    const Operands operands(stream, problem, plans);
    double best = std::numeric_limits<double>::infinity();
    for (const kernels::CudaConvPlan& plan : plans) {
      const double seconds = time(
          stream, [&] { kernels::launch_conv(plan, operands.get(), stream.queue()); }, plan.predicted_seconds);
      if (seconds >= best) continue;
      best = seconds;
      known.set(problem, chip, plan.choice);
    }
    stream.synchronize();  // before its operands go
    if (progress) progress(++done);
  }
}

}  // namespace maskrt::cuda
