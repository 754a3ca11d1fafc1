// The GPU that tests launch on: the library that MASKRT_CUDA_DRIVER names (ctest: the virtual GPU), or the machine's
// own.
#pragma once

#include <cstring>
#include <vector>

#include "kernels/tensor.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"
#include "runtime/cuda/stream_queue.h"

namespace maskrt::testing {

/// The first device, with one stream. Work that failed fails what follows it, as on any GPU.
class Gpu {
 public:
  static Gpu& instance();

  const std::shared_ptr<const cuda::Context>& context() const { return context_; }
  const kernels::Chip& chip() const { return context_->chip(); }
  cuda::KernelLibrary& library() { return library_; }
  const cuda::Stream& stream() const { return stream_; }
  kernels::CudaQueue& queue() { return queue_; }
  /// Waits for all work; throws what the driver says of faults.
  void synchronize() const { stream_.synchronize(); }

  void upload(void* device, const void* host, std::size_t bytes) const;
  void download(void* host, const void* device, std::size_t bytes) const;  ///< waits

 private:
  Gpu();
  std::shared_ptr<const cuda::Context> context_;
  cuda::Stream stream_;
  cuda::KernelLibrary library_;
  cuda::StreamQueue queue_;
};

/// Bytes on the device between two stretches that nobody may write.
class DeviceBytes {
 public:
  /// What they hold at first is undefined.
  explicit DeviceBytes(std::size_t bytes);
  std::byte* data() const { return memory_.data() + kGuard; }
  std::size_t bytes() const { return bytes_; }
  /// Fails the test where something was written before or after them. Waits.
  void require_intact() const;

 private:
  static constexpr std::size_t kGuard = 256;
  static constexpr std::uint8_t kCanary = 0xA5;
  cuda::DeviceMemory memory_;
  std::size_t bytes_;
};

/// Numbers on the device.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& host) : bytes_(host.size() * sizeof(T)) {
    Gpu::instance().upload(bytes_.data(), host.data(), bytes_.bytes());
  }
  T* data() const { return reinterpret_cast<T*>(bytes_.data()); }
  /// Waits; fails the test where something was written beside them.
  std::vector<T> download() const {
    std::vector<T> host(bytes_.bytes() / sizeof(T));
    Gpu::instance().download(host.data(), bytes_.data(), bytes_.bytes());
    bytes_.require_intact();
    return host;
  }

 private:
  DeviceBytes bytes_;
};

/// A host tensor's double on the device, with the same strides. It starts with what the host tensor holds: poison an
/// output first.
class DeviceTensor {
 public:
  explicit DeviceTensor(const kernels::Tensor& host) : bytes_(host.bytes()), tensor_(host) {
    tensor_.data = bytes_.data();
    Gpu::instance().upload(bytes_.data(), host.data, bytes_.bytes());
  }
  const kernels::Tensor& operator*() const { return tensor_; }
  /// Into a tensor of the same shape and strides. Waits; fails the test where something was written beside the tensor.
  void download(const kernels::Tensor& host) const {
    Gpu::instance().download(host.data, bytes_.data(), bytes_.bytes());
    bytes_.require_intact();
  }

 private:
  DeviceBytes bytes_;
  kernels::Tensor tensor_;
};

}  // namespace maskrt::testing
