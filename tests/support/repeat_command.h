// The command that runs a failing case alone, as it was run.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace maskrt::testing {

/// The running test program with the running test's name, behind the variables that say what GPU it runs on.
inline std::string repeat_command() {
  std::string command;
  for (const char* name : {"MASKRT_CUDA_DRIVER", "VGPU_CC", "VGPU_SEED", "ONEDNN_MAX_CPU_ISA"})
    if (const char* value = std::getenv(name)) command += std::string(name) + "=" + value + " ";
  std::error_code ignored;
  command += std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  std::string name = Catch::getResultCapture().getCurrentTestName();
  for (std::size_t i = 0; (i = name.find_first_of(",\\[", i)) != std::string::npos; i += 2) name.insert(i, "\\");
  return command + " '" + name + "'";
}

}  // namespace maskrt::testing
