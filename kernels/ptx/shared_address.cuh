// Addresses in shared memory as PTX instructions take them.
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// The 32-bit address in the shared state space (PTX ISA, "cvta").
__device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

}  // namespace maskrt::ptx
