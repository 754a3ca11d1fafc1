// kernel-table --ptxas FOLDER --run TITLE ARCHITECTURE FILE... : what the compiler, the virtual GPU's counters and the
// cost model say of every kernel and layer, as one Markdown page on standard output. `make kernel-table` writes it into
// docs/.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "maskrt/types.hpp"
#include "tables.h"

namespace {

using namespace maskrt::bench;

constexpr const char* kHead = R"(# Kernels and layers, by their figures

Written by `make kernel-table`%s. Nothing here was measured on a GPU: registers are
ptxas's, counts the [virtual GPU's](virtual-gpu.md#counters) on SparseInst R-50 G-IAM, networks with other backbones and FastInst at
640 x 864 (in fp32 those at 192 x 256, without post-processing), times a model's.

Passes are those over the banks of shared memory, for each that the accesses need at least: 1 is free of conflicts, and
main loops may have %.2f at most. Of global sectors, %.0f%% of the bytes should be used; launches that
move less than 430 kB wait for latency and are not told. Tensor cores: their share of what
warps execute in the main loop; a warp's part of one `wgmma` is worth up to 32 `mma`, so its share is small. Of all shapes
that a kernel met, the worst stands here. Occupancy is what registers and shared memory allow. The build itself fails on
spilled registers and on `wgmma` that ptxas runs one by one.
)";

constexpr const char* kBeforeLayers = R"(
## Layers on an H200

Predicted, and the least that 790 TFLOP/s and 4.3 TB/s need. Convolutions are predicted by their cost model
([conv_cost.h](../kernels/conv/cuda/conv_cost.h)), list programs by theirs
([list_program_cuda.h](../kernels/lists/list_program_cuda.h)), others by their bound in whole waves and a microsecond a launch.
What stands 0 times is not part of detection from pictures of the input's size, nor of the sums.
)";

void print(const std::vector<ChipRun>& runs, const ResourceTable& resources, const std::string& note) {
  std::printf(kHead, note.empty() ? "" : (" (" + note + ")").c_str(), kMostPassesPerAccess, 100 * kLeastSectorsUsed);
  for (const ChipRun& run : runs)
    std::printf("\n## Kernels on %s\n\n%s", run.title.c_str(), kernel_table(run, resources).c_str());
  const std::string list = misses(runs, resources);
  std::printf("\n## What misses the limits\n\n%s",
              list.empty() ? "Nothing.\n" : ("[kernels.md](kernels.md#counters) says why.\n\n" + list).c_str());
  std::fputs(kBeforeLayers, stdout);
  for (const std::string& config : configs_of(runs.front()))
    for (const std::string& batch : batches_of(runs.front(), config))
      std::printf("\n### %s, batch %s\n\n%s", config.c_str(), batch.c_str() + 1,
                  layer_table(runs.front(), config, batch, resources).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Tables of kernels and layers from ptxas's reports and maskrt-bench-cuda's results.", "kernel-table");
  std::string folder, note;
  std::vector<std::vector<std::string>> runs;
  app.add_option("--ptxas", folder, "the folder with *.ptxas.txt: BUILD/kernels/device_code")->required();
  app.add_option("--run", runs, "TITLE ARCHITECTURE FILE...: results of one chip; the first run is of an H200")
      ->required()
      ->expected(3, 16);
  app.add_option("--note", note, "commit and date");
  CLI11_PARSE(app, argc, argv);
  try {
    std::vector<ChipRun> chips;
    for (const std::vector<std::string>& run : runs) {
      ChipRun chip{run[0], run[1], {}};
      for (std::size_t i = 2; i < run.size(); ++i)
        for (Result& result : read_results(run[i])) chip.results.push_back(std::move(result));
      chips.push_back(std::move(chip));
    }
    print(chips, read_ptxas_folder(folder), note);
  } catch (const maskrt::Error& error) {
    std::fprintf(stderr, "kernel-table: %s\n", error.what());
    return 1;
  }
  return 0;
}
