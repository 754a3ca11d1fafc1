// What happens when the driver fails: a sentence, exit 1, nothing leaked. The virtual GPU fails on order, in processes of
// their own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/demo_model.h"

namespace maskrt::testing {
namespace {

/// One picture on the GPU, with the n-th event of a kind failing.
ProcessResult run_with_failure(const std::string& kind, int n) {
  ::setenv("VGPU_FAIL", (kind + ":" + std::to_string(n)).c_str(), 1);
  const TemporaryFolder folder;
  ProcessResult result = run_process({MASKRT_COMMAND, "run", demo_model(), demo + "/showcase/3.jpg", "--device", "cuda",
                                      "--json", folder / "out.json"});
  ::unsetenv("VGPU_FAIL");
  return result;
}

/// What the virtual driver counted at the end; contexts and modules live as long as the process.
std::string leaks(const std::string& errors) {
  const std::string label = "vgpu: not freed: ";
  const std::size_t begin = errors.find(label);
  if (begin == std::string::npos) return "";
  std::string rest = errors.substr(begin + label.size(), errors.find('\n', begin) - begin - label.size());
  std::string found;
  for (std::size_t at = 0; at < rest.size();) {
    const std::size_t end = std::min(rest.find(", ", at), rest.size());
    const std::string item = rest.substr(at, end - at);
    if (item.find("context") == std::string::npos && item.find("module") == std::string::npos) found += item + "; ";
    at = end + 2;
  }
  return found;
}

TEST_CASE("Whatever the driver refuses, the command says so in one sentence and leaks nothing") {
  if (std::getenv("VGPU_CC") == nullptr) return;  // a real driver does not fail on order
  for (const std::string kind : {"alloc", "host", "launch", "fault", "copy", "module", "create", "graph", "lost"}) {
    bool failed = false;
    // Every one of the first events, then fewer and fewer of them, until there are none left to fail.
    for (int n = 1; n < 4000; n += 1 + n / 3) {
      const ProcessResult result = run_with_failure(kind, n);
      INFO(kind << " " << n << ": " << result.err);
      CHECK_FALSE(result.timed_out);
      // After a fault or without a device no call succeeds, those that free among them: the process ends, or resets it.
      if (kind != "fault" && kind != "lost") CHECK(leaks(result.err) == "");
      if (result.status == 0) break;
      failed = true;
      CHECK(result.status == 1);
      CHECK_THAT(result.err, Catch::Matchers::Contains("maskrt: "));
      CHECK_THAT(result.err, Catch::Matchers::Contains("CUDA"));
    }
    CHECK(failed);
  }
}

}  // namespace
}  // namespace maskrt::testing
