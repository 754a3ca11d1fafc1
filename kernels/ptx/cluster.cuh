// Blocks of one cluster (sm_90 and newer): who they are, how they wait for each other, how they reach each other's
// shared memory.
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// This block's number in its cluster. PTX ISA, "Special Registers: %cluster_ctarank".
__device__ __forceinline__ std::uint32_t cluster_rank() {
  std::uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

/// All threads of all blocks of the cluster have come this far, and see what each other wrote. PTX ISA,
/// "barrier.cluster".
__device__ __forceinline__ void cluster_arrive() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

/// Where block `rank` of the cluster has what lies at `shared` in this one. PTX ISA, "mapa".
__device__ __forceinline__ std::uint32_t shared_of_block(std::uint32_t shared, std::uint32_t rank) {
  std::uint32_t address;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(shared), "r"(rank));
  return address;
}

/// 16 bytes into the shared memory of any block of the cluster. PTX ISA, "st", .shared::cluster.
__device__ __forceinline__ void store_shared_of_block(std::uint32_t to, const float (&four)[4]) {
  asm volatile("st.shared::cluster.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(to), "f"(four[0]), "f"(four[1]), "f"(four[2]),
               "f"(four[3])
               : "memory");
}

/// Arrives at an mbarrier of any block of the cluster. Orders what this thread has waited for, not what it wrote: that
/// would cost a fence of the whole chip. PTX ISA, "mbarrier.arrive", .shared::cluster.
__device__ __forceinline__ void mbarrier_arrive_in_cluster(std::uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(barrier) : "memory");
}

}  // namespace maskrt::ptx
