// Loads by the tensor memory accelerator (TMA, sm_90 and newer): one thread issues the load, which completes by
// counting its bytes at an mbarrier (complete_tx).
#pragma once

#include <cstdint>

#include "kernels/cuda/tensor_map.h"

namespace maskrt::ptx {

/// Prefetches a tensor map into the descriptor cache. PTX ISA, "prefetch", .tensormap.
__device__ __forceinline__ void prefetch_tensor_map(const kernels::TensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// Loads the box at (x, y) of a two-dimensional tensor map, innermost coordinate first. PTX ISA,
/// "cp.async.bulk.tensor", tile mode.
__device__ __forceinline__ void tma_load_2d(std::uint32_t to_shared, const kernels::TensorMap* map,
                                            std::uint32_t barrier, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(
          to_shared),
      "l"(map), "r"(x), "r"(y), "r"(barrier)
      : "memory");
}

/// Multicast: loads the box to the same shared-memory offset in each block of the cluster whose bit is set in `blocks`,
/// and counts the bytes at each block's own mbarrier at the same offset. PTX ISA, "cp.async.bulk.tensor",
/// .multicast::cluster.
__device__ __forceinline__ void tma_load_2d_multicast(std::uint32_t to_shared, const kernels::TensorMap* map,
                                                      std::uint32_t barrier, int x, int y, std::uint16_t blocks) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%2, "
      "%3}], [%4], %5;" ::"r"(to_shared),
      "l"(map), "r"(x), "r"(y), "r"(barrier), "h"(blocks)
      : "memory");
}

/// Loads a column of window positions of a tensor map [c, w, h, n] in im2col mode. (w, h, n) is the first position in
/// the bounding box, to which the offsets of the kernel's tap, (tap_w, tap_h), are added. PTX ISA,
/// "cp.async.bulk.tensor", "Tensor mode im2col".
__device__ __forceinline__ void tma_load_im2col(std::uint32_t to_shared, const kernels::TensorMap* map,
                                                std::uint32_t barrier, int c, int w, int h, int n, std::uint16_t tap_w,
                                                std::uint16_t tap_h) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, "
      "%5}], "
      "[%6], {%7, %8};" ::"r"(to_shared),
      "l"(map), "r"(c), "r"(w), "r"(h), "r"(n), "r"(barrier), "h"(tap_w), "h"(tap_h)
      : "memory");
}

}  // namespace maskrt::ptx
