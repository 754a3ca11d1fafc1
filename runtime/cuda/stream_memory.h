// Device memory of a session's own.
#pragma once

#include "runtime/device.h"

namespace maskrt::cuda {

/// Memory from a stream's allocate(), given back by its release(). The stream outlives it.
class StreamMemory {
 public:
  /// 0 bytes are no memory.
  StreamMemory(DeviceStream& stream, std::size_t bytes)
      : stream_(stream), data_(bytes != 0 ? stream.allocate(bytes) : nullptr), bytes_(bytes) {}
  ~StreamMemory() {
    if (data_ != nullptr) stream_.release(data_, bytes_);
  }
  StreamMemory(const StreamMemory&) = delete;
  StreamMemory& operator=(const StreamMemory&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  DeviceStream& stream_;
  std::byte* data_;
  std::size_t bytes_;
};

}  // namespace maskrt::cuda
