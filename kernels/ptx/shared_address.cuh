// Shared memory by 32-bit addresses of the shared state space, as PTX instructions take them.
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// The 32-bit shared-space address of a generic pointer. PTX ISA, "cvta".
__device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

/// Stores 16 bytes to an address that is a multiple of 16. PTX ISA, "st".
__device__ __forceinline__ void store_shared(std::uint32_t to_shared, const uint4& value) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to_shared), "r"(value.x), "r"(value.y), "r"(value.z),
               "r"(value.w)
               : "memory");
}

/// Loads 16 bytes from an address that is a multiple of 16. PTX ISA, "ld".
__device__ __forceinline__ void load_shared(std::uint32_t (&r)[4], std::uint32_t from_shared) {
  asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(from_shared)
               : "memory");
}

}  // namespace maskrt::ptx
