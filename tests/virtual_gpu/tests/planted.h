// Planted faults: kernels NAME_broken and NAME_repaired of a .cu of tests/data/ptx_cuda, which differ in one line. The
// broken one must be reported at every seed with the right kind, kernel and line, the repaired one must be clean.
#pragma once

#include "harness.h"

namespace vgpu {

struct Planted {
  const char* name;
  Check check;
  std::uint32_t blocks, threads, shared;
  int n;
  /// Elements of x that the host writes, of 4096 bytes; 0 leaves x unwritten.
  std::uint32_t written = 1024;
  bool clear_y = false;
};

/// The line of FILE.cu that carries "// FAULT name".
inline std::uint32_t marked_line(const std::string& file, const std::string& name) {
  std::istringstream source(test_ptx(file + ".cu"));
  std::string line;
  for (std::uint32_t number = 1; std::getline(source, line); ++number) {
    const auto at = line.find("// FAULT " + name);
    if (at != std::string::npos && line.size() == at + 9 + name.size()) return number;
  }
  FAIL("no line of " << file << ".cu is marked FAULT " << name);
  return 0;
}

inline LaunchResult launch(const std::string& file, const Planted& fault, const std::string& entry,
                           std::uint64_t seed) {
  Bench bench(test_ptx(file + ".ptx"), test_settings(90, seed));
  const std::uint64_t x = bench.allocate(4096), y = bench.allocate(4096);
  std::vector<float> values(fault.written, 0.25f);
  if (fault.written != 0) bench.device.memory().write(x, values.data(), fault.written * sizeof(float));
  if (fault.clear_y) bench.device.memory().write(y, std::vector<float>(1024, 0.0f).data(), 4096);
  return bench.run(entry, grid(fault.blocks, fault.threads, fault.shared), x, y, fault.n);
}

inline void check_planted(const std::string& file, const Planted& fault) {
  const std::string name = fault.name;
  const std::string source = file + ".cu:" + std::to_string(marked_line(file, name));
  // An inlined helper's line is followed by that of its caller.
  const auto names = [&](const std::string& text) {
    const auto at = text.find(source);
    return at != std::string::npos && (at + source.size() == text.size() || text[at + source.size()] == ',');
  };
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    INFO(name << ", seed " << seed);
    const LaunchResult broken = launch(file, fault, name + "_broken", seed);
    if (!broken.report) {
      FAIL_CHECK("no check fired");
      continue;
    }
    INFO(to_string(*broken.report));
    CHECK(std::string(name_of(broken.report->check)) == name_of(fault.check));
    CHECK(broken.report->kernel == name + "_broken");
    // Either of the two accesses of a race may be the second.
    CHECK((names(broken.report->source) || names(broken.report->other_source)));
    const LaunchResult repaired = launch(file, fault, name + "_repaired", seed);
    if (repaired.report) FAIL_CHECK("repaired: " << to_string(*repaired.report));
  }
}

}  // namespace vgpu
