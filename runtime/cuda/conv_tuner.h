// Measures convolutions: which kernel is the fastest for each.
#pragma once

#include <functional>
#include <span>

#include "kernels/conv/cuda/conv_tuning.h"
#include "session_stream.h"

namespace maskrt::cuda {

/// Gives the seconds that one call of `launch`, which sends work to the stream and waits for nothing, takes the GPU.
using LaunchTimer = std::function<double(const SessionStream& stream, const std::function<void()>& launch)>;

/// By events around twenty launches in a row, the best of five times. Their tensors are then in the caches as far as
/// they fit, as they are when layers follow each other. Throws Error on the virtual GPU, whose time is the host's.
double time_on_gpu(const SessionStream& stream, const std::function<void()>& launch);

/// Measures every choice for every problem, on tensors of its own with random numbers; `known` gets the fastest ones,
/// in place of what it had for the same problems. `progress`, where given, hears after each problem how many are done.
void tune_convs(std::span<const kernels::CudaConvProblem> problems, SessionStream& stream, const LaunchTimer& time,
                const std::function<void(std::size_t done)>& progress, kernels::ConvTuning& known);

}  // namespace maskrt::cuda
