// What happens when the driver fails: a sentence, exit 1, nothing leaked. The virtual GPU fails on order, in processes
// of their own.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/demo_model.h"

namespace maskrt::testing {
namespace {

/// One picture on the GPU, with the n-th event of a kind failing. What is asked of the driver does not depend on the
/// picture's size, so it is small.
ProcessResult run_with_failure(const std::string& kind, int n) {
  ::setenv("VGPU_FAIL", (kind + ":" + std::to_string(n)).c_str(), 1);
  const TemporaryFolder folder;
  ProcessResult result =
      run_process({place("MASKRT_COMMAND", MASKRT_COMMAND), "run", demo_model(), demo + "/showcase/3.jpg", "--device",
                   "cuda", "--min-size", "96", "--json", folder / "out.json"});
  ::unsetenv("VGPU_FAIL");
  return result;
}

/// What the virtual driver found not given back at the end.
std::string leaks(const std::string& errors) {
  const std::string label = "vgpu: not freed: ";
  const std::size_t begin = errors.find(label);
  return begin == std::string::npos ? "" : errors.substr(begin, errors.find('\n', begin) - begin);
}

TEST_CASE("Whatever the driver refuses, the command says so in one sentence and leaks nothing") {
  if (std::getenv("VGPU_CC") == nullptr) return;  // a real driver does not fail on order
  for (const std::string kind : {"alloc", "host", "launch", "fault", "copy", "module", "create", "graph", "lost"}) {
    bool failed = false;
    // The first events, then fewer and fewer of them, until there are none left to fail.
    for (int n = 1; n < 4000; n += n) {
      const ProcessResult result = run_with_failure(kind, n);
      INFO(kind << " " << n << ": " << result.err);
      CHECK_FALSE(result.timed_out);
      // After a fault or without a device nothing can be given back but the context, and all goes with that.
      if (kind == "fault" || kind == "lost") {
        CHECK_THAT(leaks(result.err), !Catch::Matchers::Contains("context"));
      } else {
        CHECK(leaks(result.err) == "");
      }
      if (result.status == 0) break;
      failed = true;
      CHECK(result.status == 1);
      CHECK_THAT(result.err, Catch::Matchers::Contains("maskrt: "));
      CHECK_THAT(result.err, Catch::Matchers::Contains("CUDA"));
      if (kind == "fault") CHECK_THAT(result.err, Catch::Matchers::Contains("cuda:0 has failed for good"));
    }
    CHECK(failed);
  }
}

}  // namespace
}  // namespace maskrt::testing
