// Failures on order: the n-th allocation, launch or copy fails, or the device is lost.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

namespace vgpu::driver {

/// What can be made to fail. `lost` counts calls of every kind that reach the device.
enum class FailureKind : std::uint8_t { alloc, host_alloc, launch, fault, copy, module, create, graph, lost };
constexpr std::size_t kFailureKinds = 9;

/// A plan such as "alloc:3,launch:2,launch:5+,lost:17": the third device allocation fails, the second kernel launch and
/// all from the fifth on, and from the 17th call that reaches the device on, the device is lost permanently. Kinds:
/// alloc (device and managed memory, pools), host (pinned and registered memory), launch (kernels and graphs: the call
/// fails), fault (kernels, those in graphs too: they fail when they run, which is sticky), copy (copies and sets),
/// module (loading), create (contexts, streams, events, pools), graph (instantiations), lost.
class FailurePlan {
 public:
  /// Throws Error that names VGPU_FAIL and shows what is wrong. Empty text fails nothing.
  explicit FailurePlan(std::string_view text);

  /// Counts one event; true where it must fail. Callers hold the driver's lock.
  bool due(FailureKind kind);
  bool empty() const { return empty_; }

 private:
  struct Rule {
    std::set<std::uint64_t> once;
    std::optional<std::uint64_t> from;
    std::uint64_t count = 0;
  };
  std::array<Rule, kFailureKinds> rules_;
  bool empty_ = true;
};

}  // namespace vgpu::driver
