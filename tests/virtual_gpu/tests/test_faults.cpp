// Planted faults: each found at every seed with the right kind, kernel and line; the same kernels repaired are clean.
#include "planted.h"

namespace vgpu {
namespace {

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

}  // namespace

TEST_CASE("planted faults are found at every seed, and nothing else") {
  for (const Planted& fault : kFaults) check_planted("faults", fault);
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
