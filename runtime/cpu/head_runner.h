// Post-processing on the CPU: from a plan's output values to what the head finds.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runtime/device.h"

namespace maskrt::cpu {

/// One plan's, bound to the memory that its values lie in.
class HeadRunner {
 public:
  virtual ~HeadRunner() = default;
  /// What is found in each image once the network has run. Computes on the calling thread's OpenMP team.
  virtual std::vector<Detected> run(std::span<const ImageToProcess> images, const DetectionOptions& options) const = 0;
};

/// For the program's head; null for one that finds nothing. Throws Error where a value is not what the head reads.
std::unique_ptr<HeadRunner> make_head_runner(const Program& program, const Addresses& addresses);

}  // namespace maskrt::cpu
