// The benchmarks: every layer of a network at one batch size, pre- and post-processing, and the whole from pixels to
// instances.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bed.h"
#include "roofline.h"
#include "virtual_gpu.h"

namespace maskrt::bench {

/// What one network is measured with.
struct Subject {
  Model model;
  Precision precision;
  std::int64_t batch, height, width;
  std::optional<VirtualGpu> virtual_gpu;
  int measurements = 20, repeats = 20;  ///< measurements of each benchmark; consecutive runs of each with warm caches

  /// "b8/fp16"
  std::string prefix() const { return "b" + std::to_string(batch) + "/" + std::string(name_of(precision)); }
};

/// Registers, with Google Benchmark, for each distinct layer
///   PREFIX/LAYER/KERNEL[/cold]        each kernel that it launches, alone, with its registers' and blocks' figures;
///   PREFIX/LAYER[/cold]               where it launches several, all of them;
///   PREFIX/LAYER/cublas, .../cudnn    the rivals on the same shape, where there are any;
/// and PREFIX/network and PREFIX/pipeline: all launches as one graph. Layers of one shape count as one.
/// On the virtual GPU counters are given, no times; `rivals`, cold runs and graphs are left out.
void register_suite(const Subject& subject, bool rivals);

}  // namespace maskrt::bench
