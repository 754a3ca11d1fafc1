// vgpu-run: runs launches described in JSON on the virtual GPU and compares their outputs.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "machine/settings.h"
#include "tools/counters_table.h"
#include "tools/launch_file.h"

namespace {

constexpr const char* kUsage =
    "usage: vgpu-run FILE.json... [--seed N] [--seeds K] [--threads N] [--counters] [--json]\n"
    "\n"
    "Runs each launch on the virtual GPU, with FILE.ptx and FILE.safetensors beside it, and compares its outputs\n"
    "with the expected ones. Prints a line a launch; exits 1 when one fails, 2 on wrong usage.\n"
    "  --seed N     the first seed of warp and block order (0)\n"
    "  --seeds K    run every launch with K seeds (1)\n"
    "  --threads N  worker threads (all cores)\n"
    "  --counters   print what the launch did\n"
    "  --json       print one JSON object a launch instead of text\n"
    "VGPU_SMS, VGPU_MEMORY, VGPU_SEED, VGPU_CHECKS, VGPU_SAMPLE_BLOCKS and VGPU_THREADS set the rest.\n"
    "example: vgpu-run tests/data/ptx/gemm_f16_sm80.json --seeds 5 --counters\n";

struct Options {
  std::vector<std::filesystem::path> files;
  std::uint64_t seed = 0, seeds = 1;
  bool counters = false, json = false;
  vgpu::Settings settings = vgpu::settings_from_environment();
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const auto number = [&](std::uint64_t& value) {
      if (i + 1 >= argc) return false;
      char* end = nullptr;
      value = std::strtoull(argv[++i], &end, 10);
      return *end == '\0' && end != argv[i];
    };
    std::uint64_t threads = 0;
    if (arg == "--counters") {
      options.counters = true;
    } else if (arg == "--json") {
      options.json = true;
    } else if (arg == "--seed") {
      if (!number(options.seed)) return false;
    } else if (arg == "--seeds") {
      if (!number(options.seeds)) return false;
    } else if (arg == "--threads") {
      if (!number(threads)) return false;
      options.settings.threads = static_cast<std::uint32_t>(threads);
    } else if (arg.starts_with("-")) {
      return false;
    } else {
      options.files.emplace_back(arg);
    }
  }
  return !options.files.empty() && options.seeds > 0;
}

bool run(const std::filesystem::path& file, std::uint64_t seed, const Options& options) {
  vgpu::Settings settings = options.settings;
  settings.seed = seed;
  settings.counters = options.counters;
  const vgpu::LaunchOutcome outcome = vgpu::run_launch_file(file, settings);
  const std::string name = file.stem().string();
  if (outcome.report) std::fprintf(stderr, "%s\n", vgpu::to_string(*outcome.report).c_str());
  if (options.json) {
    nlohmann::json json{{"launch", name},
                        {"seed", seed},
                        {"passed", outcome.passed},
                        {"relative_rms", outcome.worst_rms},
                        {"seconds", outcome.seconds},
                        {"message", outcome.message}};
    if (options.counters)
      json["counters"] = nlohmann::json::parse(vgpu::counters_json(*outcome.module, outcome.counts));
    std::printf("%s\n", json.dump().c_str());
  } else {
    std::printf("%-28s seed %-4llu %s  relative rms %.3g  %.3f s%s%s\n", name.c_str(),
                static_cast<unsigned long long>(seed), outcome.passed ? "ok    " : "FAILED", outcome.worst_rms,
                outcome.seconds, outcome.message.empty() ? "" : "  ", outcome.message.c_str());
    if (options.counters) std::printf("%s", vgpu::counters_table(*outcome.module, outcome.counts).c_str());
  }
  std::fflush(stdout);
  return outcome.passed;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  options.seed = options.settings.seed;
  if (argc == 2 && std::string(argv[1]) == "--help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (!parse(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  bool passed = true;
  for (const auto& file : options.files) {
    for (std::uint64_t k = 0; k < options.seeds; ++k) {
      try {
        passed &= run(file, options.seed + k, options);
      } catch (const std::exception& e) {
        std::fprintf(stderr, "vgpu-run: %s: %s\n", file.c_str(), e.what());
        passed = false;
      }
    }
  }
  return passed ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "vgpu-run: %s\n", e.what());
  return 2;
}
