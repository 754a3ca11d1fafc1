// What the tensor memory accelerator (sm_90 and newer) is told about a tensor in global memory. Also read by device
// code.
#pragma once

namespace maskrt::kernels {

/// A description in the chip's own encoding, made by CudaQueue::encode. A member of a kernel's parameters: device code
/// takes its address there (CUDA C++ Programming Guide, "Tensor Memory Accelerator").
struct alignas(64) TensorMap {
  unsigned char bits[128];
};

}  // namespace maskrt::kernels
