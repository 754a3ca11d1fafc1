// Planted faults in what blocks of a cluster share, in fences and relaxed synchronisation, prefetches and setmaxnreg.
#include "planted.h"

namespace vgpu {
namespace {

const Planted kFaults[] = {
    {"remote_store", Check::shared_race, 2, 32, 0, 5},
    {"remote_load_before_wait", Check::shared_race, 2, 32, 0, 5},
    {"store_after_remote_load", Check::shared_race, 2, 32, 0, 5},
    {"relaxed_cluster_arrive", Check::shared_race, 2, 32, 0, 5},
    {"fence_before_relaxed_arrive", Check::shared_race, 2, 32, 0, 5},
    {"global_after_relaxed_arrive", Check::global_race, 2, 32, 0, 5},
    {"flag_without_release", Check::shared_race, 2, 32, 0, 5},
    {"mbarrier_without_init_fence", Check::shared_race, 2, 32, 0, 5},
    {"mbarrier_init_unordered", Check::shared_race, 1, 64, 0, 5},
    {"relaxed_mbarrier_arrive", Check::shared_race, 2, 32, 0, 5},
    {"relaxed_mbarrier_wait", Check::shared_race, 2, 32, 0, 5},
    {"bulk_seen_by_others", Check::shared_race, 2, 64, 0, 5},
    {"bulk_over_unread", Check::shared_race, 2, 32, 0, 5},
    {"prefetch_past_end", Check::out_of_bounds, 1, 32, 0, 5},
    {"prefetch_misaligned", Check::misaligned, 1, 32, 0, 5},
    {"prefetch_odd_size", Check::misaligned, 1, 32, 0, 5},
    {"registers_never_come", Check::deadlock, 1, 384, 0, 5},
    {"registers_of_warps_differ", Check::invalid, 1, 384, 0, 5},
    {"registers_of_half_a_group", Check::invalid, 1, 384, 0, 5},
    {"registers_grow_downwards", Check::invalid, 1, 384, 0, 5},
};

}  // namespace

TEST_CASE("planted faults of clusters, fences, prefetches and register pools are found at every seed") {
  for (const Planted& fault : kFaults) check_planted("faults_cluster", fault);
}

TEST_CASE("reports between blocks name both") {
  const auto report = [](const char* name) {
    const LaunchResult result = launch("faults_cluster", {name, Check::shared_race, 2, 32, 0, 5}, name, 0);
    REQUIRE(result.report);
    return result.report->message;
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(has(report("relaxed_cluster_arrive_broken"), "warp 0 of block ("));
  CHECK(has(report("mbarrier_without_init_fence_broken"), "expected a barrier between, with release or after"));
  const LaunchResult registers = launch("faults_cluster", {"registers_never_come", Check::deadlock, 1, 384, 0, 5},
                                        "registers_never_come_broken", 0);
  REQUIRE(registers.report);
  INFO(registers.report->message);
  // 8 warps want 64 more a thread each; 4 have released 120.
  CHECK(has(registers.report->message, "2048 registers more, 232 rather than 168 a thread; the block's pool has 1024"));
}

TEST_CASE("barrier.cluster.wait has no relaxed form") {
  const std::string head = ".version 8.0\n.target sm_90a\n.address_size 64\n.visible .entry k()\n{\n";
  Bench(head + "barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait.acquire;\nret;\n}\n");
  CHECK_THROWS(Bench(head + "barrier.cluster.arrive;\nbarrier.cluster.wait.relaxed;\nret;\n}\n"));
}

}  // namespace vgpu
