// Where tests find data and programs.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace maskrt::testing {

/// What the environment variable says, or else where the build put the thing: test programs that were carried to
/// another machine find theirs this way (tests/gpu_check).
inline std::string place(const char* variable, const char* built) {
  const char* named = std::getenv(variable);
  return named != nullptr && *named != '\0' ? named : built;
}

/// The folder tests/data.
inline std::filesystem::path test_data() { return place("MASKRT_TEST_DATA", MASKRT_TEST_DATA); }

}  // namespace maskrt::testing
