// How many blocks of a kernel a multiprocessor holds. CUDA driver API, 6.25 "Occupancy".
#pragma once

#include <cstdint>

#include "driver/objects/module.h"

namespace vgpu::driver {

/// Blocks of `threads` threads and `dynamic_shared` bytes that one multiprocessor holds at a time: as threads, warps,
/// registers (256 at a time to a warp, evenly over four parts) and shared memory (with what the system keeps) allow.
std::uint32_t active_blocks(const Driver& driver, const FunctionObject& function, std::uint32_t threads,
                            std::uint64_t dynamic_shared);
/// Dynamic shared memory that leaves room for `blocks` blocks on a multiprocessor.
std::uint64_t available_dynamic_shared(const Driver& driver, const FunctionObject& function, std::uint32_t blocks,
                                       std::uint32_t threads);

}  // namespace vgpu::driver
