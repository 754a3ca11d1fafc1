// Programmatic dependent launch (KernelLaunch::overlaps_previous). PTX ISA, "griddepcontrol". No-ops before sm_90,
// where a kernel starts only when the preceding one of its stream has ended.
#pragma once

namespace maskrt::ptx {

/// griddepcontrol.wait: blocks until all prerequisite grids have completed and their writes are visible.
__device__ inline void wait_for_previous_grid() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// griddepcontrol.launch_dependents: the dependent grid may be scheduled once all blocks of this grid have called this
/// or ended. The dependent grid still waits for this grid's completion (wait_for_previous_grid) before it reads; what
/// is overlapped is its launch latency and prologue.
__device__ inline void let_next_grid_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

}  // namespace maskrt::ptx
