// Fences between the generic proxy (loads and stores) and the async proxy (wgmma, TMA) (sm_90 and newer).
#pragma once

namespace maskrt::ptx {

/// Makes this thread's preceding stores to shared memory visible to the async proxy. PTX ISA, "fence.proxy.async".
__device__ __forceinline__ void fence_proxy_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

}  // namespace maskrt::ptx
