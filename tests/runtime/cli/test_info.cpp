// `maskrt info` on the demo's model.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/demo_command.h"

using Catch::Contains;
using namespace maskrt::testing;

namespace {

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(demo_command(command, arguments));
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("info: the model, its graph, and the memory that running takes") {
  const ProcessResult ran = maskrt_command("info", {});
  check_success(ran);
  for (const char* part :
       {"SparseInst", "circle, square, triangle, star, ring", "xxh3:", "prepared weights", "arena", "scratch"})
    CHECK_THAT(ran.out, Contains(part));

  const ProcessResult fused = maskrt_command("info", {"--graph", "--size", "128x160"});
  const ProcessResult plain = maskrt_command("info", {"--graph", "--size", "128x160", "--no-rewrites"});
  check_success(fused);
  check_success(plain);
  CHECK_THAT(plain.out, Contains("batch_norm") && Contains("[1, 32, 40, "));
  CHECK_THAT(fused.out, !Contains("batch_norm"));
  CHECK(lines(fused.out) < lines(plain.out));
}

TEST_CASE("The CPU device's OpenMP runtime spins briefly, unless the environment says otherwise") {
  // The runtime prints how it understood its environment.
  ::unsetenv("OMP_WAIT_POLICY");
  ::setenv("OMP_DISPLAY_ENV", "VERBOSE", 1);
  CHECK_THAT(maskrt_command("info", {}).err, Contains("GOMP_SPINCOUNT = '2000'"));
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  CHECK_THAT(maskrt_command("info", {}).err, Contains("GOMP_SPINCOUNT = '0'"));
  ::unsetenv("OMP_WAIT_POLICY");
  ::unsetenv("OMP_DISPLAY_ENV");
}
