// From ptxas's words and the suite's results to tables.
#include <catch2/catch.hpp>

#include "bench/kernel_table/tables.h"
#include "maskrt/types.hpp"

using namespace maskrt::bench;

namespace {

const std::string said =
    "ptxas info    : 0 bytes gmem\n"
    "ptxas info    : Compiling entry function 'plain' for 'sm_80'\n"
    "ptxas info    : Function properties for plain\n"
    "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
    "ptxas info    : Used 126 registers, used 1 barriers, 592 bytes cmem[0]\n"
    "ptxas info    : Compile time = 608.281 ms\n"
    "ptxas info    : Compiling entry function 'spilling' for 'sm_90a'\n"
    "ptxas info    : Function properties for spilling\n"
    "    48 bytes stack frame, 16 bytes spill stores, 24 bytes spill loads\n"
    "ptxas info    : Used 30 registers, used 1 barriers, 4224 bytes smem, 416 bytes cmem[0]\n";

Result result(const std::string& layer, const std::string& kernel, std::map<std::string, double> counters) {
  return {"b1/fp16/" + layer + "/" + kernel, "b1", "fp16", layer, kernel, std::move(counters), "config"};
}

/// What the virtual GPU counts: passes, the share of sectors' bytes that are used, and the sectors' bytes.
Result counted(const std::string& layer, const std::string& kernel, double passes, double used, double moved) {
  return result(
      layer, kernel,
      {{"block_threads", 128}, {"loop_passes_per_access", passes}, {"sectors_used", used}, {"moved_bytes", moved}});
}

}  // namespace

TEST_CASE("what ptxas says of each kernel is read") {
  ResourceTable table;
  add_ptxas_text(said, table);
  REQUIRE(table.size() == 2);
  CHECK(table["sm_80"]["plain"].registers == 126);
  CHECK(table["sm_80"]["plain"].static_shared == 0);
  CHECK(table["sm_80"]["plain"].spills == 0);
  CHECK(table["sm_90a"]["spilling"].registers == 30);
  CHECK(table["sm_90a"]["spilling"].static_shared == 4224);
  CHECK(table["sm_90a"]["spilling"].stack == 48);
  CHECK(table["sm_90a"]["spilling"].spills == 40);
  CHECK_THROWS_WITH(add_ptxas_text("ptxas info    : Compiling entry function 'cut' for 'sm_80'\n", table),
                    Catch::Contains("expected the registers of cut"));
}

TEST_CASE("blocks are bounded by threads, registers and shared memory") {
  CHECK(resident_blocks("sm_80", {32, 0, 0, 0}, 1024, 0) == 2);
  CHECK(resident_blocks("sm_80", {33, 0, 0, 0}, 1024, 0) == 1);  // 40 registers, as they are given out
  CHECK(resident_blocks("sm_80", {255, 0, 0, 0}, 128, 0) == 2);
  CHECK(resident_blocks("sm_80", {168, 0, 0, 0}, 384, 0) == 1);
  CHECK(resident_blocks("sm_80", {16, 0, 0, 0}, 32, 0) == 32);
  CHECK(resident_blocks("sm_86", {16, 0, 0, 0}, 32, 0) == 16);
  CHECK(resident_blocks("sm_80", {16, 1024, 0, 0}, 32, 80 * 1024) == 2);
  CHECK(resident_blocks("sm_80", {16, 1024, 0, 0}, 32, 81 * 1024) == 1);
  CHECK(resident_blocks("sm_90a", {16, 0, 0, 0}, 32, 113 * 1024) == 2);  // and a KiB of the system's own each
  CHECK(resident_blocks("sm_90a", {16, 0, 0, 0}, 32, 114 * 1024) == 1);
  CHECK(resident_blocks("sm_200", {16, 0, 0, 0}, 32, 0) == 0);
}

TEST_CASE("what misses a limit is listed, and nothing else") {
  ResourceTable resources;
  add_ptxas_text(said, resources);
  const ChipRun run{"sm_80",
                    "sm_80",
                    {counted("a", "plain", 1.02, 0.95, kLeastMoved), counted("b", "worse", 1.03, 0.94, kLeastMoved),
                     counted("c", "worse", 1.5, 1, kLeastMoved), counted("d", "small", 1.02, 0.3, kLeastMoved - 1),
                     counted("e", "small", 1.02, 0.96, kLeastMoved)}};
  const std::string list = misses({run}, resources);
  CHECK(list.find("plain") == std::string::npos);
  CHECK(list.find("small") == std::string::npos);  // the launch that uses its sectors badly moves too little
  CHECK_THAT(list, Catch::Contains("`worse`: 1.50 passes an access in the main loop (`b1/fp16/c/worse`)"));
  CHECK_THAT(list, Catch::Contains("`worse`: 94% of global sectors used (`b1/fp16/b/worse`)"));
  CHECK_THAT(list, Catch::Contains("sm_90a, `spilling`: 40 bytes spilled"));
  CHECK(misses({{"sm_80", "sm_80", {run.results.front()}}}, {}).empty());
}

TEST_CASE("a layer's waves count the blocks that fit, and its kernels add up") {
  ResourceTable resources;
  add_ptxas_text(said, resources);
  // 126 registers and 256 threads: two blocks on each of 132 multiprocessors.
  const ChipRun run{
      "sm_90",
      "sm_80",
      {result("conv", "plain",
              {{"layers", 3}, {"block_threads", 256}, {"tiles", 396}, {"bound_us", 6}, {"predicted_us", 12}}),
       result("pool | b", "plain", {{"layers", 1}, {"block_threads", 256}, {"tiles", 66}, {"bound_us", 2}}),
       result("beside", "plain",
              {{"layers", 1}, {"block_threads", 256}, {"tiles", 66}, {"bound_us", 2}, {"beside_pipeline", 1}})}};
  const std::string table = layer_table(run, "config", "b1", resources);
  CHECK_THAT(table, Catch::Contains("| conv | 3 | plain | 396 | 1.50 | 12.0 | 6.0 | 50% |"));
  CHECK_THAT(table,
             Catch::Contains("| pool \\| b | 1 | plain | 66 | 0.25 | 5.0 | 2.0 | 40% |"));  // half the chip, 1 us
  CHECK_THAT(table, Catch::Contains("| beside | 0 | plain | 66 | 0.25 | 5.0 | 2.0 | 40% |"));
  CHECK_THAT(table, Catch::Contains("| all | 4 launches | | | | 41 | 20 | 49% |"));
  CHECK_THAT(layer_table(run, "config", "b8", resources), Catch::Contains("| all | 0 launches |"));
  CHECK_THAT(layer_table(run, "another", "b1", resources), Catch::Contains("| all | 0 launches |"));
  CHECK(configs_of(run) == std::vector<std::string>{"config"});
  CHECK(batches_of(run, "config") == std::vector<std::string>{"b1"});
  CHECK(batches_of(run, "another").empty());
}
