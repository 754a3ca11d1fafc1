#include "tools/counters_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/launch_summary.h"

namespace vgpu {
namespace {

constexpr std::array<const char*, kKinds> kNames{"integer", "floating", "half",   "convert", "move", "control",
                                                 "memory",  "barrier",  "tensor", "async",   "other"};

double ratio(std::uint64_t a, std::uint64_t b) { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); }

}  // namespace

std::string counters_table(const Module& module, const std::vector<LineCount>& counts) {
  LaunchSummary s = summarise(module, counts);
  std::string out;
  char line[512];
  const auto print = [&](auto... args) {
    std::snprintf(line, sizeof line, args...);
    out += line;
  };
  print("  %-10s %14s %16s %10s\n", "kind", "warp instr", "lane instr", "partial");
  for (std::size_t k = 0; k < s.kinds.size(); ++k) {
    const LineCount& c = s.kinds[k];
    if (c.issued != 0)
      print("  %-10s %14llu %16llu %9.1f%%\n", kNames[k], static_cast<unsigned long long>(c.issued),
            static_cast<unsigned long long>(c.lanes), 100 * ratio(c.divergent, c.issued));
  }
  print("  tensor-core operations %llu\n", static_cast<unsigned long long>(s.all.tensor_ops));
  const LineCount &global = s.all.global, &shared = s.all.shared;
  print("  global: %llu requests, %llu bytes, %.2f sectors a request, %.1f%% of their bytes used\n",
        static_cast<unsigned long long>(global.requests), static_cast<unsigned long long>(global.bytes),
        ratio(global.sectors, global.requests), 100 * ratio(global.used, 32 * global.sectors));
  print("  shared: %llu requests, %llu bytes, %.2f passes a request, %.2f times the least; local: %llu bytes\n",
        static_cast<unsigned long long>(shared.requests), static_cast<unsigned long long>(shared.bytes),
        ratio(shared.wavefronts, shared.requests), ratio(shared.wavefronts, shared.least),
        static_cast<unsigned long long>(s.all.local.bytes));
  // The lines with the most shared-memory passes and global sectors.
  std::sort(s.lines.begin(), s.lines.end(), [](const LaunchSummary::Line& a, const LaunchSummary::Line& b) {
    return a.count.sectors + a.count.wavefronts > b.count.sectors + b.count.wavefronts;
  });
  for (std::size_t i = 0; i < s.lines.size() && i < 8 && s.lines[i].count.requests != 0; ++i) {
    const LineCount& c = s.lines[i].count;
    const std::string text(module.line_text(s.lines[i].instr->line).substr(0, 60));
    print("  line %-6u %10llu requests %8.2f %s each  %s\n", s.lines[i].instr->line,
          static_cast<unsigned long long>(c.requests), ratio(c.sectors + c.wavefronts, c.requests),
          c.memory_space == 1 ? "sectors" : "passes ", text.c_str());
  }
  return out;
}

std::string counters_json(const Module& module, const std::vector<LineCount>& counts) {
  const LaunchSummary s = summarise(module, counts);
  nlohmann::json json;
  const auto object = [](const LineCount& c) {
    return nlohmann::json{{"warp_instructions", c.issued},
                          {"lane_instructions", c.lanes},
                          {"divergent", c.divergent},
                          {"requests", c.requests},
                          {"sectors", c.sectors},
                          {"sector_bytes_used", c.used},
                          {"shared_passes", c.wavefronts},
                          {"shared_passes_at_least", c.least},
                          {"bytes", c.bytes}};
  };
  for (std::size_t k = 0; k < s.kinds.size(); ++k) {
    if (s.kinds[k].issued != 0) json["kinds"][kNames[k]] = object(s.kinds[k]);
  }
  const auto sums = [&](const CountSums& c) {
    nlohmann::json of = object(c.total);
    of["tensor_instructions"] = c.tensor_instructions;
    of["tensor_ops"] = c.tensor_ops;
    of["global_bytes"] = c.global.bytes;
    of["shared_bytes"] = c.shared.bytes;
    of["local_bytes"] = c.local.bytes;
    return of;
  };
  json["total"] = sums(s.all);
  json["main_loop"] = sums(s.main_loop);
  json["lines"] = nlohmann::json::array();
  for (const LaunchSummary::Line& line : s.lines) {
    nlohmann::json entry = object(line.count);
    entry["line"] = line.instr->line;
    entry["text"] = std::string(module.line_text(line.instr->line));
    entry["source"] = module.source_of(*line.instr);
    json["lines"].push_back(std::move(entry));
  }
  return json.dump();
}

}  // namespace vgpu
