// How one piece of work on the device (a launch, copy or set) is ordered with those before it, for the shadow of global
// memory: its tags hold 8 bits that say which work made an access.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "checks/report.h"

namespace vgpu {

struct WorkOrder {
  /// Id of this work, 1 to 255.
  std::uint32_t number = 0;
  /// By number: true where nothing orders that work before this one.
  std::array<bool, 256> unordered{};
  /// The same until a warp has executed griddepcontrol.wait; differs for programmatic dependent launches.
  std::array<bool, 256> unordered_before_wait{};
  bool any_unordered = false;  ///< in either

  // griddepcontrol, as the launch's warps executed it.
  mutable std::atomic<bool> waited{false};
  mutable std::atomic<bool> released_before_wait{false};  ///< launch_dependents, not ordered after a wait
  mutable std::atomic<bool> released_after_wait{false};
  /// True where dependents may have started before the launch ended; before it had waited for what it depends on
  /// itself. They start when all blocks have released them or ended.
  bool releases() const { return released_before_wait || released_after_wait; }
  bool releases_early() const { return !released_after_wait && (released_before_wait || !waited); }

  virtual ~WorkOrder() = default;
  /// Fills in what the report says of the other work: its name and, of a kernel, the line at `pc`.
  virtual void describe(std::uint32_t other, std::uint32_t pc, Report& report) const = 0;
};

}  // namespace vgpu
