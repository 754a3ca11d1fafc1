// Copies by the tensor memory accelerator (sm_90 and newer): one thread asks, an mbarrier tells of the bytes' arrival.
#pragma once

#include <cstdint>

#include "kernels/cuda/tensor_map.h"

namespace maskrt::ptx {

/// Brings a map's description into its cache. PTX ISA, "prefetch", .tensormap.
__device__ __forceinline__ void prefetch_tensor_map(const kernels::TensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// A box of a map of two dimensions, from (x, y) on, innermost first. PTX ISA, "cp.async.bulk.tensor", tile mode.
__device__ __forceinline__ void copy_tile(std::uint32_t to_shared, const kernels::TensorMap* map, std::uint32_t barrier,
                                          int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(
          to_shared),
      "l"(map), "r"(x), "r"(y), "r"(barrier)
      : "memory");
}

/// The same to one place in each block of the cluster whose bit is set in `blocks`; each one's own barrier at the same
/// place is told. PTX ISA, "cp.async.bulk.tensor", .multicast::cluster.
__device__ __forceinline__ void copy_tile_to_blocks(std::uint32_t to_shared, const kernels::TensorMap* map,
                                                    std::uint32_t barrier, int x, int y, std::uint16_t blocks) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%2, "
      "%3}], [%4], %5;" ::"r"(to_shared),
      "l"(map), "r"(x), "r"(y), "r"(barrier), "h"(blocks)
      : "memory");
}

/// A column of a map [c, w, h, n] in im2col mode: its first position in the bounding box, moved by the tap's offsets.
/// PTX ISA, "cp.async.bulk.tensor", "Tensor mode im2col".
__device__ __forceinline__ void copy_im2col(std::uint32_t to_shared, const kernels::TensorMap* map,
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
