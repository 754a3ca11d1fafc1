// The descriptor of a tensor in global memory for the tensor memory accelerator (TMA, sm_90 and newer). Read by host
// and device code.
#pragma once

namespace maskrt::kernels {

/// CUtensorMap: opaque bits, encoded by CudaQueue::encode. It is a member of a kernel's parameter struct, and device
/// code passes its address there to TMA instructions (CUDA C++ Programming Guide, "Tensor Memory Accelerator").
struct alignas(64) TensorMap {
  unsigned char bits[128];
};

}  // namespace maskrt::kernels
