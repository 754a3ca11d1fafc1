// What libvgpu.so exports beside the driver API. Programs find these by dlsym; on a real driver they are missing.
#pragma once

#include <stddef.h>

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

/// Fills in the counts of this moment. All are 0 before cuInit.
void vgpuGetLeaks(VgpuLeaks* leaks);
/// Launches whose check fired, since cuInit.
size_t vgpuGetReportCount(void);

#ifdef __cplusplus
}
#endif
