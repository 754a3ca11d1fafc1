#include <catch2/catch.hpp>
#include <random>

#include "graph/memory_plan.h"
#include "maskrt/types.hpp"

using namespace maskrt::graph;

namespace {

std::size_t rounded(std::size_t bytes) {
  return (bytes + MemoryPlan::kAlignment - 1) / MemoryPlan::kAlignment * MemoryPlan::kAlignment;
}

/// The most bytes alive at one step: no plan can be smaller.
std::size_t most_alive(const std::vector<Lifetime>& lifetimes) {
  std::size_t most = 0;
  for (const auto& at : lifetimes) {
    std::size_t alive = 0;
    for (const auto& other : lifetimes)
      if (other.first <= at.first && at.first <= other.last) alive += rounded(other.bytes);
    most = std::max(most, alive);
  }
  return most;
}

}  // namespace

TEST_CASE("random lifetimes never share a byte, and the arena holds every buffer") {
  std::mt19937 random(1);
  double sum_of_ratios = 0;
  constexpr int plans = 200;
  for (int round = 0; round < plans; ++round) {
    std::vector<Lifetime> lifetimes(1 + random() % 120);
    for (auto& lifetime : lifetimes) {
      lifetime.bytes = random() % (random() % 2 == 0 ? 300 : 100000);
      lifetime.first = static_cast<int>(random() % 60);
      lifetime.last = lifetime.first + static_cast<int>(random() % 12);
    }
    const auto plan = plan_memory(lifetimes);
    INFO("round " << round);
    REQUIRE(plan.offsets.size() == lifetimes.size());
    REQUIRE_FALSE(overlaps(plan, lifetimes));
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      REQUIRE(plan.offsets[i] % MemoryPlan::kAlignment == 0);
      REQUIRE(plan.offsets[i] + lifetimes[i].bytes <= plan.bytes);
    }
    const auto bound = most_alive(lifetimes);
    REQUIRE(plan.bytes >= bound);
    if (bound != 0) sum_of_ratios += static_cast<double>(plan.bytes) / static_cast<double>(bound);
  }
  // Greedy by size is within a few percent of the bound on average; 15% says that it still is greedy by size.
  INFO("arena over most bytes alive, on average: " << sum_of_ratios / plans);
  CHECK(sum_of_ratios / plans < 1.15);
}

TEST_CASE("a chain needs its two largest neighbours") {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 50; ++i) chain.push_back({static_cast<std::size_t>(256 * (1 + i % 7)), i, i + 1});
  CHECK(plan_memory(chain).bytes == most_alive(chain));
}

TEST_CASE("overlaps() sees buffers that share bytes only while both are alive") {
  MemoryPlan plan;
  plan.offsets = {0, 256};
  plan.bytes = 1024;
  CHECK(overlaps(plan, {{257, 0, 3}, {256, 3, 5}}));
  CHECK_FALSE(overlaps(plan, {{256, 0, 3}, {256, 3, 5}}));
  CHECK_FALSE(overlaps(plan, {{257, 0, 2}, {256, 3, 5}}));
}

TEST_CASE("empty buffers, no buffers and impossible ones") {
  CHECK(plan_memory({}).bytes == 0);
  CHECK(plan_memory({{0, 0, 9}, {0, 0, 9}}).bytes == 0);
  CHECK(plan_memory({{1, 0, 0}}).bytes == 256);
  CHECK_THROWS_WITH(plan_memory({{1, 3, 2}}), Catch::Contains("found steps 3 to 2"));
  const auto huge = ~std::size_t{0} / 3;
  CHECK_THROWS_AS(plan_memory({{huge, 0, 1}, {huge, 0, 1}, {huge, 0, 1}}), maskrt::Error);
}
