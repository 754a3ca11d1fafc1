// Programmatic dependent launch (KernelLaunch::overlaps_previous). PTX ISA, "griddepcontrol". Nothing before sm_90,
// where a kernel starts when the one before it has ended.
#pragma once

namespace maskrt::ptx {

/// Waits until all grids that this one depends on have ended and what they wrote can be seen.
__device__ inline void wait_for_previous_grid() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// Lets the grid that depends on this one start as soon as all blocks have said so or ended. It still waits for this
/// grid's end before it reads; what is gained is its start.
__device__ inline void let_next_grid_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

}  // namespace maskrt::ptx
