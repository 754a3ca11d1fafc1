// What libvgpu.so exports beside the driver API. Programs find these by dlsym; on a real driver they are missing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What has been made and not yet given back. What was left to cuCtxDestroy or cuDevicePrimaryCtxRelease to clean up
/// counts as not given back.
typedef struct VgpuLeaks {
  size_t device_allocations, device_bytes;
  size_t host_allocations, host_bytes; /* pinned and registered */
  size_t contexts, modules, libraries, streams, events, pools, graphs, graph_execs;
} VgpuLeaks;

/// What warps executed in a range of code.
typedef struct VgpuCount {
  uint64_t instructions, tensor_instructions; /* executions by a warp; of those, multiplications on tensor cores */
  uint64_t tensor_ops;                        /* multiplications and additions of these */
  uint64_t global_requests, global_sectors;   /* accesses by a warp; 32-byte sectors that they touched */
  uint64_t global_used;                       /* bytes of these sectors that some lane asked for */
  uint64_t shared_requests, shared_passes;    /* accesses by a warp; passes over the banks that they needed */
  uint64_t shared_least;                      /* passes that they would have needed with no two words in one bank */
} VgpuCount;
/// What kernels did. Scaled where blocks were sampled.
typedef struct VgpuCounters {
  uint64_t launches, blocks, blocks_run;
  uint64_t local_bytes;
  VgpuCount all;
  VgpuCount main_loop; /* docs/virtual-gpu.md, "Counters" */
} VgpuCounters;

/// Fills in the counts of this moment. All are 0 before cuInit.
void vgpuGetLeaks(VgpuLeaks* leaks);
/// Launches whose check fired, since cuInit.
size_t vgpuGetReportCount(void);
/// Fills in what the kernels that ran since the last call did, all together; the first call makes the driver count.
/// Waits for nothing: synchronise first. All are 0 before cuInit.
void vgpuTakeCounters(VgpuCounters* counters);
/// How many blocks of each grid run from now on, in place of VGPU_SAMPLE_BLOCKS; 0: all. With no work pending.
void vgpuSetSampleBlocks(uint32_t blocks);

#ifdef __cplusplus
}
#endif
