// The maskrt command on the demo's model and the CPU, as the tests of what it writes run it. Their targets define
// MASKRT_COMMAND beside what demo_model.h needs.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "demo_model.h"
#include "files.h"
#include "process.h"

namespace maskrt::testing {

using Words = std::vector<std::string>;

inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// The same wherever the tests run; GPUs have tests of their own.
inline Words demo_command(const std::string& command, const Words& arguments) {
  return Words{MASKRT_COMMAND, command, demo_model(), "--device", "cpu"} + arguments;
}

/// Picture i of those that the demo evaluates.
inline std::string demo_picture(int i) { return demo + "/images/00" + std::to_string(i) + ".jpg"; }

inline void check_success(const ProcessResult& result) {
  CHECK(result.err == "");
  REQUIRE(result.status == 0);
}

inline std::set<std::string> files_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

}  // namespace maskrt::testing
