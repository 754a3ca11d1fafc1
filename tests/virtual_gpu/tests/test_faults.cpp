// Planted faults: each found at every seed with the right kind, kernel and line; the same kernels repaired are clean.
#include "harness.h"

namespace vgpu {
namespace {

/// The line of faults.cu that carries "// FAULT name".
std::uint32_t marked_line(const std::string& name) {
  std::istringstream source(test_ptx("faults.cu"));
  std::string line;
  for (std::uint32_t number = 1; std::getline(source, line); ++number) {
    const auto at = line.find("// FAULT " + name);
    if (at != std::string::npos && line.size() == at + 9 + name.size()) return number;
  }
  FAIL("no line of faults.cu is marked FAULT " << name);
  return 0;
}

struct Planted {
  const char* name;
  Check check;
  std::uint32_t blocks, threads, shared;
  int n;
  /// Elements of x that the host writes, of 4096 bytes; 0 leaves x unwritten.
  std::uint32_t written = 1024;
  bool clear_y = false;
};

const Planted kFaults[] = {
    {"read_past_end", Check::out_of_bounds, 9, 128, 0, 1024},
    {"write_past_end", Check::out_of_bounds, 9, 128, 0, 1024},
    {"shared_past_end", Check::out_of_bounds, 1, 64, 256, 64},
    {"null_pointer", Check::out_of_bounds, 1, 32, 0, 5},
    {"misaligned_global", Check::misaligned, 1, 32, 0, 5},
    {"misaligned_shared", Check::misaligned, 1, 32, 256, 5},
    {"uninitialised_global", Check::uninitialised, 1, 32, 0, 5, 0},
    {"uninitialised_shared", Check::uninitialised, 1, 64, 256, 5},
    {"uninitialised_index", Check::uninitialised, 1, 32, 128, 32},
    {"uninitialised_branch", Check::uninitialised, 1, 32, 0, 5},
    {"race_read_after_write", Check::shared_race, 1, 128, 512, 5},
    {"race_write_after_read", Check::shared_race, 1, 128, 512, 5},
    {"race_write_after_write", Check::shared_race, 1, 128, 512, 5},
    {"race_named_barrier", Check::shared_race, 1, 128, 512, 5},
    {"race_between_blocks", Check::global_race, 8, 32, 0, 5},
    {"race_read_of_other_block", Check::global_race, 8, 32, 0, 5},
    {"last_block", Check::global_race, 8, 64, 0, 5},
    {"lanes_disagree", Check::shared_race, 1, 64, 256, 5},
    {"race_between_lanes", Check::shared_race, 1, 64, 256, 5},
    {"race_between_warps", Check::global_race, 1, 128, 0, 5},
    {"warps_disagree", Check::global_race, 1, 128, 0, 5},
    {"read_without_acquire", Check::global_race, 2, 32, 0, 5, 1024, true},
    {"copy_without_wait", Check::async_not_waited, 1, 128, 512, 5},
    {"copy_without_barrier", Check::shared_race, 1, 128, 512, 5},
    {"copy_one_group_short", Check::async_not_waited, 1, 128, 1024, 5},
    {"bulk_without_wait", Check::async_not_waited, 1, 32, 128, 5},
    {"bulk_store_without_fence", Check::proxy_fence, 1, 32, 128, 5},
    {"bulk_store_without_wait", Check::async_not_waited, 1, 32, 128, 5},
    {"wgmma_without_wait", Check::async_not_waited, 1, 128, 2304, 5},
    {"wgmma_without_proxy_fence", Check::proxy_fence, 1, 128, 2304, 5},
    {"wgmma_without_fence", Check::async_not_waited, 1, 128, 2304, 3},
    {"barrier_after_exit", Check::barrier_not_reached, 1, 128, 0, 5},
    {"barrier_in_branch", Check::divergent, 1, 32, 0, 5},
    {"barrier_count", Check::barrier_not_reached, 1, 96, 0, 5},
    {"mbarrier_never_completes", Check::deadlock, 1, 128, 0, 5},
    {"mbarrier_uninitialised", Check::mbarrier_misuse, 1, 128, 0, 5},
    {"mbarrier_too_many", Check::mbarrier_misuse, 1, 128, 0, 5},
    {"mbarrier_overwritten", Check::mbarrier_misuse, 1, 128, 0, 5},
    {"flag_never_set", Check::deadlock, 2, 32, 0, 5, 1024, true},
    {"matrix_in_branch", Check::divergent, 1, 32, 256, 5},
    {"shuffle_without_partner", Check::deadlock, 1, 32, 0, 5},
    {"stops_itself", Check::trap, 1, 32, 0, 5},
};

LaunchResult launch(const Planted& fault, const std::string& entry, std::uint64_t seed) {
  Bench bench(test_ptx("faults.ptx"), test_settings(90, seed));
  const std::uint64_t x = bench.allocate(4096), y = bench.allocate(4096);
  std::vector<float> values(fault.written, 0.25f);
  if (fault.written != 0) bench.device.memory().write(x, values.data(), fault.written * sizeof(float));
  if (fault.clear_y) bench.device.memory().write(y, std::vector<float>(1024, 0.0f).data(), 4096);
  return bench.run(entry, grid(fault.blocks, fault.threads, fault.shared), x, y, fault.n);
}

}  // namespace

TEST_CASE("planted faults are found at every seed, and nothing else") {
  for (const Planted& fault : kFaults) {
    const std::string name = fault.name;
    const std::string source = "faults.cu:" + std::to_string(marked_line(name));
    // An inlined helper's line is followed by that of its caller.
    const auto names = [&](const std::string& text) {
      const auto at = text.find(source);
      return at != std::string::npos && (at + source.size() == text.size() || text[at + source.size()] == ',');
    };
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      INFO(name << ", seed " << seed);
      const LaunchResult broken = launch(fault, name + "_broken", seed);
      if (!broken.report) {
        FAIL_CHECK("no check fired");
        continue;
      }
      INFO(to_string(*broken.report));
      CHECK(std::string(name_of(broken.report->check)) == name_of(fault.check));
      CHECK(broken.report->kernel == name + "_broken");
      // Either of the two accesses of a race may be the second.
      CHECK((names(broken.report->source) || names(broken.report->other_source)));
      const LaunchResult repaired = launch(fault, name + "_repaired", seed);
      if (repaired.report) FAIL_CHECK("repaired: " << to_string(*repaired.report));
    }
  }
}

TEST_CASE("memory that was freed is not used") {
  Bench bench(test_ptx("faults.ptx"));
  const std::uint64_t x = bench.upload(std::vector<float>(1024, 1.0f)), y = bench.allocate(4096);
  REQUIRE(bench.device.memory().release(x));
  const LaunchResult result = bench.run("read_past_end_repaired", grid(1, 32), x, y, 32);
  REQUIRE(result.report);
  CHECK(result.report->check == Check::use_after_free);
}

}  // namespace vgpu
