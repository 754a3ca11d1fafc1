// Thread block clusters (sm_90 and newer): ranks, the cluster barrier, and distributed shared memory.
#pragma once

#include <cstdint>

namespace maskrt::ptx {

/// The rank of this block within its cluster. PTX ISA, "Special Registers: %cluster_ctarank".
__device__ __forceinline__ std::uint32_t cluster_rank() {
  std::uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

/// The cluster barrier: after cluster_wait, all threads of all blocks of the cluster have called cluster_arrive, and
/// what they wrote before it is visible. Called by whole warps. PTX ISA, "barrier.cluster".
__device__ __forceinline__ void cluster_arrive() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
/// As cluster_arrive, but publishes nothing that this thread wrote: it costs no fence. Barriers that
/// fence_mbarrier_init has made visible are. PTX ISA, "barrier.cluster", .relaxed.
__device__ __forceinline__ void cluster_arrive_relaxed() {
  asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

/// Maps an address in this block's shared memory to the same offset in the shared memory of block `rank` of the cluster
/// (distributed shared memory). PTX ISA, "mapa".
__device__ __forceinline__ std::uint32_t shared_of_block(std::uint32_t shared, std::uint32_t rank) {
  std::uint32_t address;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(shared), "r"(rank));
  return address;
}

/// Stores 16 bytes to an address of shared_of_block, a multiple of 16. PTX ISA, "st", .shared::cluster.
__device__ __forceinline__ void store_shared_of_block(std::uint32_t to, const float (&four)[4]) {
  asm volatile("st.shared::cluster.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(to), "f"(four[0]), "f"(four[1]), "f"(four[2]),
               "f"(four[3])
               : "memory");
}

/// Loads 16 bytes from an address of shared_of_block, a multiple of 16. PTX ISA, "ld", .shared::cluster.
__device__ __forceinline__ float4 load_shared_of_block(std::uint32_t from) {
  float4 four;
  asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(four.x), "=f"(four.y), "=f"(four.z), "=f"(four.w)
               : "r"(from)
               : "memory");
  return four;
}

/// Arrives at an mbarrier of any block of the cluster (an address of shared_of_block), with release semantics at block
/// scope: it orders this thread's preceding waits and reads, but does not publish its writes to the other block, which
/// would need a release at cluster scope, a fence of the whole chip. PTX ISA, "mbarrier.arrive", .shared::cluster.
__device__ __forceinline__ void mbarrier_arrive_in_cluster(std::uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(barrier) : "memory");
}

}  // namespace maskrt::ptx
