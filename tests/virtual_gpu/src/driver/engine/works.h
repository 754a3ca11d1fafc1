// Ready-made work: kernels, copies, sets, host functions, stream-ordered allocation, memory operations on words.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/engine/work.h"
#include "machine/device.h"

namespace vgpu::engine {

struct KernelLaunch {
  std::shared_ptr<const Module> module;
  const Program* program = nullptr;
  LaunchConfig config;
  std::vector<std::uint8_t> params;  ///< one after another, each at the offset that Program::parameters gives
  bool programmatic = false;         ///< launched with programmatic stream serialization
};
/// `on_result` is called after each run, before a fired check is thrown: counters, printf. The configuration must be
/// one that Device::launch accepts.
Work kernel_work(KernelLaunch launch, std::function<void(const KernelLaunch&, const LaunchResult&)> on_result = {});

/// One side of a copy. Device addresses are host addresses, so `device` alone tells whether the bytes lie in the arena
/// (device memory, and pinned memory where it is allocated there): those are checked, and keep their definedness.
struct Side {
  std::uint64_t address = 0;
  std::uint64_t pitch = 0;  ///< bytes between rows; unused for one row
  bool device = true;
};
/// Copies rows; the ranges are checked when it runs: Fault with Check::out_of_bounds or use_after_free. `host_visible`
/// where the destination is not `device`, or asked for. Sides may be the same memory; overlapping is not defined.
Work copy_work(Side destination, Side source, std::uint64_t row_bytes, std::uint64_t rows = 1,
               bool host_visible = false);
/// Copies bytes that were taken over when this was called, as the driver does with pageable memory.
Work copy_work(std::uint64_t destination, std::vector<std::uint8_t> bytes);

/// Fills rows of `columns` elements of 1, 2 or 4 bytes. Status(invalid_value) where `element_bytes` is another.
Work set_work(std::uint64_t destination, std::uint32_t value, std::uint32_t element_bytes, std::uint64_t columns,
              std::uint64_t rows = 1, std::uint64_t pitch = 0);

/// Calls `function` on the thread that carries work out, with Engine::in_host_function() true meanwhile.
Work host_work(std::function<void()> function);

/// Stream-ordered allocation of memory whose address is known already (Memory::allocate): work that nothing orders
/// after this one must not touch it.
Work allocate_work(std::uint64_t address, std::uint64_t bytes);
/// Frees a whole allocation: counts as a write of all of it, then calls `release` (which calls Memory::release).
Work release_work(std::uint64_t address, std::uint64_t bytes, std::function<void()> release);

/// cuStreamWriteValue32/64.
Work write_value_work(std::uint64_t address, std::uint64_t value, std::uint32_t bytes);
enum class Wait : std::uint8_t { geq, eq, bits_and, nor };  ///< CUstreamWaitValue_flags, in their order
/// cuStreamWaitValue32/64. The work that wrote the word is ordered before the work that follows.
Work wait_value_work(std::uint64_t address, std::uint64_t value, std::uint32_t bytes, Wait how);

}  // namespace vgpu::engine
