// Models for benchmarks: the published networks at full width with generated weights, made in memory.
#pragma once

#include <memory>
#include <string>

#include "runtime/model.h"

namespace maskrt::bench {

/// The size that the published configs see most: a 4:3 picture, shortest edge 640.
constexpr int kInputHeight = 640, kInputWidth = 864;

/// A published config with random weights, prepared for the CPU; made once per (config, precision).
/// Throws Error where the processor lacks the precision.
const Model& model(const std::string& config, Compute precision);

/// One benchmark for each distinct step of the plans of R-50 G-IAM, of its deformable variant and of Pyramid Vision
/// Transformers.
void register_layers(Compute precision);

/// Threads of every benchmark: MASKRT_BENCH_THREADS, or all that the process may use.
int threads();

}  // namespace maskrt::bench
