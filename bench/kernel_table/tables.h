// Tables of kernels and layers, as Markdown.
#pragma once

#include <string>
#include <vector>

#include "ptxas.h"
#include "results.h"

namespace maskrt::bench {

/// One run of maskrt-bench-cuda on the virtual GPU as one chip.
struct ChipRun {
  std::string title;         ///< "sm_90"
  std::string architecture;  ///< architecture of the SASS that runs there, as ptxas calls it: "sm_90a"
  std::vector<Result> results;
};

/// What kernels must keep to: passes over the banks of shared memory in the main loop, for each that there must be;
/// bytes of global sectors used; bytes spilled.
constexpr double kMostPassesPerAccess = 1.02, kLeastSectorsUsed = 0.95;
constexpr int kMostSpills = 0;

/// Bytes of sectors from which on a launch's use of them is told: an H200 moves fewer in a tenth of a microsecond, and
/// what the launch waits for is latency.
constexpr double kLeastMoved = 430e3;

/// A line for each kernel that ran: registers, shared memory and the occupancy that they allow; of all shapes that it
/// met the worst of what was counted.
std::string kernel_table(const ChipRun& run, const ResourceTable& resources);

/// One line for each kernel of these runs that misses the limits, and for each kernel with spills.
/// Empty where nothing misses a limit.
std::string misses(const std::vector<ChipRun>& runs, const ResourceTable& resources);

/// The configs of a run's results, each once, in their order.
std::vector<std::string> configs_of(const ChipRun& run);
/// The batch sizes of one's results in fp16, likewise.
std::vector<std::string> batches_of(const ChipRun& run, const std::string& config);

/// Every distinct layer of a config's network at one batch size ("b8") in fp16 with its tiles, waves, predicted time
/// and bound on an H200, and the sums of what detection runs; it takes place 0 times where it does not. Where the cost
/// model of convolutions does not say, a kernel takes the time of its bound, in whole waves, and a microsecond to
/// begin.
std::string layer_table(const ChipRun& run, const std::string& config, const std::string& batch,
                        const ResourceTable& resources);

}  // namespace maskrt::bench
