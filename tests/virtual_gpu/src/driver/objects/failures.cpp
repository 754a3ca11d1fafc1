#include "driver/objects/failures.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "types.h"

namespace vgpu::driver {
namespace {

constexpr std::array<std::string_view, kFailureKinds> kNames{"alloc",  "host",   "launch", "fault", "copy",
                                                             "module", "create", "graph",  "lost"};

[[noreturn]] void wrong(std::string_view found) {
  throw Error(
      "VGPU_FAIL: expected KIND:N or KIND:N+ with KIND one of alloc, host, launch, fault, copy, module, create, "
      "graph, lost, "
      "found '" +
      std::string(found) + "'");
}

}  // namespace

FailurePlan::FailurePlan(std::string_view text) {
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos) wrong(item);
    const auto* name = std::find(kNames.begin(), kNames.end(), item.substr(0, colon));
    std::string_view number = item.substr(colon + 1);
    const bool all_after = !number.empty() && number.back() == '+';
    if (all_after) number.remove_suffix(1);
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), n);
    if (name == kNames.end() || error != std::errc{} || end != number.data() + number.size() || n == 0) wrong(item);
    Rule& rule = rules_[static_cast<std::size_t>(name - kNames.begin())];
    if (all_after) {
      rule.from = std::min(rule.from.value_or(n), n);
    } else {
      rule.once.insert(n);
    }
    empty_ = false;
  }
}

bool FailurePlan::due(FailureKind kind) {
  if (empty_) return false;
  Rule& rule = rules_[static_cast<std::size_t>(kind)];
  const std::uint64_t n = ++rule.count;
  return (rule.from && n >= *rule.from) || rule.once.contains(n);
}

}  // namespace vgpu::driver
