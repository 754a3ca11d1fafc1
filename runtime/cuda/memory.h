// Memory that the driver gives: on the device, and on the host where the device reaches it.
#pragma once

#include <cstddef>

#include "handle.h"

namespace maskrt::cuda {

/// The driver's type for an address on the device, of which it is a plain number.
inline CUdeviceptr address_of(const void* device_memory) { return reinterpret_cast<CUdeviceptr>(device_memory); }

/// Device memory, aligned to 256 bytes, undefined at first.
class DeviceMemory {
 public:
  /// Throws Error that tells how much was asked for and how much is free. 0 bytes are no memory.
  DeviceMemory(std::shared_ptr<const Context> context, std::size_t bytes);
  std::byte* data() const { return reinterpret_cast<std::byte*>(handle_.get()); }
  std::size_t bytes() const { return bytes_; }

 private:
  Handle<CUdeviceptr, &Driver::cuMemFree> handle_;
  std::size_t bytes_;
};

/// Page-locked host memory: copies to and from it run beside other work.
class PinnedMemory {
 public:
  PinnedMemory(std::shared_ptr<const Context> context, std::size_t bytes);
  std::byte* data() const { return static_cast<std::byte*>(handle_.get()); }
  std::size_t bytes() const { return bytes_; }

 private:
  Handle<void*, &Driver::cuMemFreeHost> handle_;
  std::size_t bytes_;
};

}  // namespace maskrt::cuda
