#include "tools/counters_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace vgpu {
namespace {

constexpr std::array<const char*, kKinds> kNames{"integer", "floating", "half",   "convert", "move", "control",
                                                 "memory",  "barrier",  "tensor", "async",   "other"};

struct Line {
  const Instr* instr;
  LineCount count;
};

struct Summary {
  std::array<LineCount, kKinds> kinds{};
  LineCount total;
  std::uint64_t tensor_ops = 0;
  std::uint64_t global_requests = 0, global_bytes = 0, shared_requests = 0, shared_bytes = 0, local_bytes = 0;
  std::vector<Line> lines;
};

Summary summarise(const Module& module, const std::vector<LineCount>& counts) {
  Summary s;
  for (const auto& [name, program] : module.programs()) {
    for (std::size_t i = 0; i < program->code.size(); ++i) {
      const Instr& instr = program->code[i];
      const LineCount& count = counts[program->first_count + i];
      if (count.issued == 0) continue;
      s.kinds[static_cast<std::size_t>(instr.kind)].add(count);
      s.total.add(count);
      s.tensor_ops += count.issued * instr.tensor_ops;
      if (count.memory_space == 1) {
        s.global_requests += count.requests;
        s.global_bytes += count.bytes;
      } else if (count.memory_space == 2) {
        s.shared_requests += count.requests;
        s.shared_bytes += count.bytes;
      } else if (count.memory_space == 3) {
        s.local_bytes += count.bytes;
      }
      s.lines.push_back({&instr, count});
    }
  }
  return s;
}

double ratio(std::uint64_t a, std::uint64_t b) { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); }

}  // namespace

std::string counters_table(const Module& module, const std::vector<LineCount>& counts) {
  Summary s = summarise(module, counts);
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
  print("  tensor-core operations %llu\n", static_cast<unsigned long long>(s.tensor_ops));
  print("  global: %llu requests, %llu bytes, %.2f sectors a request\n",
        static_cast<unsigned long long>(s.global_requests), static_cast<unsigned long long>(s.global_bytes),
        ratio(s.total.sectors, s.global_requests));
  print("  shared: %llu requests, %llu bytes, %.2f passes a request; local: %llu bytes\n",
        static_cast<unsigned long long>(s.shared_requests), static_cast<unsigned long long>(s.shared_bytes),
        ratio(s.total.wavefronts, s.shared_requests), static_cast<unsigned long long>(s.local_bytes));
  // What a kernel engineer looks at first: the lines with the most passes and sectors.
  std::sort(s.lines.begin(), s.lines.end(), [](const Line& a, const Line& b) {
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
  const Summary s = summarise(module, counts);
  nlohmann::json json;
  const auto object = [](const LineCount& c) {
    return nlohmann::json{{"warp_instructions", c.issued},
                          {"lane_instructions", c.lanes},
                          {"divergent", c.divergent},
                          {"requests", c.requests},
                          {"sectors", c.sectors},
                          {"shared_passes", c.wavefronts},
                          {"bytes", c.bytes}};
  };
  for (std::size_t k = 0; k < s.kinds.size(); ++k) {
    if (s.kinds[k].issued != 0) json["kinds"][kNames[k]] = object(s.kinds[k]);
  }
  json["total"] = object(s.total);
  json["total"]["tensor_ops"] = s.tensor_ops;
  json["total"]["global_bytes"] = s.global_bytes;
  json["total"]["shared_bytes"] = s.shared_bytes;
  json["total"]["local_bytes"] = s.local_bytes;
  json["lines"] = nlohmann::json::array();
  for (const Line& line : s.lines) {
    nlohmann::json entry = object(line.count);
    entry["line"] = line.instr->line;
    entry["text"] = std::string(module.line_text(line.instr->line));
    entry["source"] = module.source_of(*line.instr);
    json["lines"].push_back(std::move(entry));
  }
  return json.dump();
}

}  // namespace vgpu
