#include "ptxas.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "maskrt/types.hpp"

namespace maskrt::bench {
namespace {

/// What stands in `line` between two texts; empty where they do not.
std::string between(const std::string& line, const std::string& before, const std::string& after) {
  const std::size_t from = line.find(before);
  if (from == std::string::npos) return "";
  const std::size_t begin = from + before.size(), end = line.find(after, begin);
  return end == std::string::npos ? "" : line.substr(begin, end - begin);
}

/// The number that stands before `what`; 0 where there is none.
int number_before(const std::string& line, const std::string& what) {
  const std::size_t at = line.find(what);
  if (at == std::string::npos) return 0;
  std::size_t begin = at;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') --begin;
  return begin == at ? 0 : std::stoi(line.substr(begin, at - begin));
}

struct Multiprocessor {
  int threads, blocks, shared, reserved;  ///< bytes of shared memory; of each block, by the system
};

Multiprocessor multiprocessor_of(const std::string& architecture) {
  if (architecture == "sm_75") return {1024, 16, 65536, 0};
  if (architecture == "sm_80") return {2048, 32, 167936, 1024};
  if (architecture == "sm_86") return {1536, 16, 102400, 1024};
  if (architecture == "sm_89") return {1536, 24, 102400, 1024};
  if (architecture == "sm_90" || architecture == "sm_90a") return {2048, 32, 233472, 1024};
  return {};
}

}  // namespace

void add_ptxas_text(const std::string& text, ResourceTable& table) {
  std::istringstream lines(text);
  std::string kernel, architecture;
  KernelResources resources;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("Compiling entry function '") != std::string::npos) {
      if (!kernel.empty()) throw Error("ptxas: expected the registers of " + kernel + ", found none");
      kernel = between(line, "entry function '", "'");
      architecture = between(line, "for '", "'");
      resources = {};
    } else if (line.find("bytes stack frame") != std::string::npos) {
      resources.stack += number_before(line, " bytes stack frame");
      resources.spills += number_before(line, " bytes spill stores") + number_before(line, " bytes spill loads");
    } else if (line.find("Used ") != std::string::npos && !kernel.empty()) {
      resources.registers = number_before(line, " registers");
      resources.static_shared = number_before(line, " bytes smem");
      table[architecture][kernel] = resources;
      kernel.clear();
    }
  }
  if (!kernel.empty()) throw Error("ptxas: expected the registers of " + kernel + ", found none");
}

ResourceTable read_ptxas_folder(const std::string& folder) {
  ResourceTable table;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.path().string().ends_with(".ptxas.txt")) continue;
    std::ifstream file(entry.path());
    std::ostringstream text;
    text << file.rdbuf();
    add_ptxas_text(text.str(), table);
  }
  if (table.empty()) throw Error(folder + ": expected *.ptxas.txt files, as the build leaves them, found none");
  return table;
}

int resident_blocks(const std::string& architecture, const KernelResources& kernel, int threads, int dynamic_shared) {
  const Multiprocessor chip = multiprocessor_of(architecture);
  if (chip.threads == 0) return 0;
  const int warps = (threads + 31) / 32;
  int blocks = std::min(chip.blocks, chip.threads / (warps * 32));
  const int registers_of_warp = (kernel.registers * 32 + 255) / 256 * 256;
  // Each of the four schedulers has its own quarter of the registers.
  if (registers_of_warp > 0) blocks = std::min(blocks, 4 * (65536 / 4 / registers_of_warp) / warps);
  const int shared = kernel.static_shared + dynamic_shared + chip.reserved;
  if (shared > 0) blocks = std::min(blocks, chip.shared / shared);
  return blocks;
}

int resident_threads(const std::string& architecture) { return multiprocessor_of(architecture).threads; }

}  // namespace maskrt::bench
