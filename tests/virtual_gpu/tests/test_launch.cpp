// Launches as a whole: configurations that the chip refuses, sampling, counters, memory, printf, settings.
#include <cstdlib>

#include "harness.h"
#include "machine/settings.h"
#include "tools/launch_summary.h"

namespace vgpu {
namespace {

const std::string kHeader = ".version 8.7\n.target sm_90a\n.address_size 64\n";

/// y[i] = i for every thread of a one-dimensional grid.
const std::string kIndices =
    kHeader +
    ".visible .entry k(.param .u64 y)\n.maxntid 256\n{\n.reg .b32 %r<5>; .reg .b64 %rd<3>;\n"
    "mov.u32 %r1, %ctaid.x;\nmov.u32 %r2, %ntid.x;\nmov.u32 %r3, %tid.x;\nmad.lo.u32 %r4, %r1, %r2, %r3;\n"
    "ld.param.u64 %rd1, [y];\nmad.wide.u32 %rd2, %r4, 4, %rd1;\nst.global.u32 [%rd2], %r4;\nret;\n}\n";

}  // namespace

TEST_CASE("configurations that the chip could not launch are refused") {
  Bench bench(kIndices);
  const std::uint64_t y = bench.allocate(1 << 16);
  CHECK_THROWS_WITH(bench.run("k", grid(1, 512), y), Catch::Contains(".maxntid's 256"));
  CHECK_THROWS_WITH(bench.run("k", grid(1, 0), y), Catch::Contains("1 to 1024 threads"));
  CHECK_THROWS_WITH(bench.run("k", grid(0, 32), y), Catch::Contains("empty grid"));
  CHECK_THROWS_WITH(bench.run("k", grid(1, 32, 300000), y), Catch::Contains("232448 bytes of shared memory"));
  LaunchConfig config = grid(3, 32);
  config.cluster = {2, 1, 1};
  CHECK_THROWS_WITH(bench.run("k", config, y), Catch::Contains("whole clusters"));
  CHECK_THROWS_WITH(bench.run("k", grid(1, 32)), Catch::Contains("8 bytes of parameters, found 0"));
}

TEST_CASE("a sample of the blocks runs the corners and scales the counters") {
  Settings settings = test_settings();
  settings.counters = true;
  Bench whole(kIndices, settings);
  const LaunchResult all = whole.run_clean("k", grid(100, 64), whole.allocate(100 * 64 * 4));
  settings.sample_blocks = 10;
  Bench sampled(kIndices, settings);
  const std::uint64_t y = sampled.allocate(100 * 64 * 4);
  const LaunchResult some = sampled.run_clean("k", grid(100, 64), y);
  CHECK(all.blocks == 100);
  CHECK(some.blocks == 10);
  CHECK(sampled.device.memory().defined(y, 256));
  CHECK(sampled.device.memory().defined(y + 99 * 256, 256));
  LaunchConfig together = grid(100, 64);
  together.cooperative = true;
  CHECK(sampled.run_clean("k", together, y).blocks == 100);
  REQUIRE(all.counts.size() == some.counts.size());
  for (std::size_t i = 0; i < all.counts.size(); ++i) {
    CHECK(all.counts[i].issued == 200);
    CHECK(some.counts[i].issued == 200);
    CHECK(some.counts[i].lanes == 6400);
  }
}

TEST_CASE("sectors and bank conflicts are counted") {
  // Loads with a stride of 32 words: a sector each in global memory, 32 passes in shared memory.
  const std::string ptx = kHeader +
                          ".visible .entry k(.param .u64 x, .param .u32 stride)\n{\n.shared .align 128 .b8 "
                          "tile[8192];\n.reg .b32 %r<8>; .reg .b64 %rd<3>;\n"
                          "mov.u32 %r1, %tid.x;\nld.param.u32 %r2, [stride];\nmul.lo.u32 %r3, %r1, %r2;\nld.param.u64 "
                          "%rd1, [x];\nmad.wide.u32 %rd2, %r3, 4, %rd1;\n"
                          "ld.global.u32 %r4, [%rd2];\nmov.u32 %r5, tile;\nmad.lo.u32 %r6, %r3, 4, %r5;\nst.shared.u32 "
                          "[%r6], %r4;\nret;\n}\n";
  const auto count = [&](std::uint32_t stride) {
    Settings settings = test_settings();
    settings.counters = true;
    Bench bench(ptx, settings);
    const std::uint64_t x = bench.upload(std::vector<float>(2048, 1.0f));
    LineCount sum;
    for (const LineCount& c : bench.run_clean("k", grid(1, 32), x, stride).counts) sum.add(c);
    return std::vector<std::uint64_t>{sum.sectors, sum.used, sum.wavefronts, sum.least};
  };
  CHECK(count(1) == std::vector<std::uint64_t>{4, 128, 1, 1});
  CHECK(count(2) == std::vector<std::uint64_t>{8, 128, 2, 1});
  CHECK(count(32) == std::vector<std::uint64_t>{32, 128, 32, 1});
  CHECK(count(33) == std::vector<std::uint64_t>{32, 128, 1, 1});
  CHECK(count(0) == std::vector<std::uint64_t>{1, 4, 1, 1});
}

TEST_CASE("sectors of wide accesses that overlap are counted once") {
  // Lane i reads 16 bytes at 8 i, every second of which its neighbours read, too; shared memory takes 4 passes at 16 i.
  const std::string ptx = kHeader +
                          ".visible .entry k(.param .u64 x)\n{\n.shared .align 128 .b8 tile[512];\n"
                          ".reg .b32 %r<9>; .reg .b64 %rd<3>;\n"
                          "mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [x];\nshr.u32 %r2, %r1, 1;\n"
                          "mad.wide.u32 %rd2, %r2, 16, %rd1;\nld.global.v4.u32 {%r3, %r4, %r5, %r6}, [%rd2];\n"
                          "mov.u32 %r7, tile;\nmad.lo.u32 %r8, %r1, 16, %r7;\n"
                          "st.shared.v4.u32 [%r8], {%r3, %r4, %r5, %r6};\nret;\n}\n";
  Settings settings = test_settings();
  settings.counters = true;
  Bench bench(ptx, settings);
  const std::uint64_t x = bench.upload(std::vector<float>(64, 1.0f));
  LineCount sum;
  for (const LineCount& c : bench.run_clean("k", grid(1, 32), x).counts) sum.add(c);
  CHECK(sum.sectors == 8);
  CHECK(sum.used == 256);
  CHECK(sum.wavefronts == 4);
  CHECK(sum.least == 4);
}

TEST_CASE("the main loop is the innermost around what is executed most") {
  // 7 rounds of 5 rounds that load once each, between loads that lie outside.
  const std::string ptx = kHeader +
                          ".visible .entry k(.param .u64 x)\n{\n.reg .b32 %r<4>; .reg .b64 %rd<2>; .reg .pred %p<3>;\n"
                          "ld.param.u64 %rd1, [x];\nld.global.u32 %r3, [%rd1];\nmov.u32 %r1, 0;\nOUTER:\n"
                          "mov.u32 %r2, 0;\nINNER:\nld.global.u32 %r3, [%rd1 + 4];\nadd.u32 %r2, %r2, 1;\n"
                          "setp.lt.u32 %p1, %r2, 5;\n@%p1 bra INNER;\nadd.u32 %r1, %r1, 1;\n"
                          "setp.lt.u32 %p2, %r1, 7;\n@%p2 bra OUTER;\nret;\n}\n";
  Settings settings = test_settings();
  settings.counters = true;
  Bench bench(ptx, settings);
  const std::uint64_t x = bench.upload(std::vector<float>(64, 1.0f));
  const LaunchResult result = bench.run_clean("k", grid(3, 32), x);
  const LaunchSummary summary = summarise(*bench.module, result.counts);
  CHECK(summary.main_loop.total.issued == 3 * 7 * (5 * 3 + 4));  // the last round does not take its branch
  CHECK(summary.main_loop.global.requests == 3 * 7 * 5);
  CHECK(summary.all.global.requests == 3 * (7 * 5 + 1));
  CHECK(summary.all.tensor_instructions == 0);
}

TEST_CASE("device memory is counted, fenced and given back") {
  Memory memory(1 << 20);
  const std::uint64_t a = memory.allocate(1000), b = memory.allocate(1000);
  REQUIRE(a != 0);
  REQUIRE(b != 0);
  CHECK(a % 512 == 0);
  CHECK(memory.bytes_in_use() == 2000);
  CHECK(memory.allocations_in_use() == 2);
  CHECK(memory.covers(a, 1000));
  CHECK_FALSE(memory.covers(a, 1001));
  CHECK_FALSE(memory.defined(a, 1));
  CHECK(memory.allocate(2 << 20) == 0);
  CHECK(memory.release(a));
  CHECK_FALSE(memory.release(a));
  CHECK(memory.describe(a + 8).find("byte 8 of freed allocation 1") != std::string::npos);
  // What was freed comes back only when the arena is used up.
  std::uint64_t again = 0;
  while (again == 0 || again > b) {
    const std::uint64_t c = memory.allocate(100000);
    again = c != 0 ? c : memory.allocate(1000);
    REQUIRE(again != 0);
  }
  CHECK(again == a);
}

TEST_CASE("settings come from the environment") {
  setenv("VGPU_CC", "8.6", 1);
  setenv("VGPU_MEMORY", "3G", 1);
  setenv("VGPU_SMS", "4", 1);
  const Settings settings = settings_from_environment();
  CHECK(settings.compute_capability == 86);
  CHECK(settings.memory == std::uint64_t{3} << 30);
  CHECK(settings.sms == 4);
  setenv("VGPU_CC", "8.7", 1);
  CHECK_THROWS_WITH(settings_from_environment(),
                    Catch::Contains("VGPU_CC: expected 7.5, 8.0, 8.6, 8.9 or 9.0, found '8.7'"));
  unsetenv("VGPU_CC");
  setenv("VGPU_SMS", "many", 1);
  CHECK_THROWS_WITH(settings_from_environment(), Catch::Contains("VGPU_SMS"));
  unsetenv("VGPU_SMS");
  unsetenv("VGPU_MEMORY");
}

}  // namespace vgpu
