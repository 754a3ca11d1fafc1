#include "gpu.h"

#include <catch2/catch.hpp>

namespace maskrt::testing {

Gpu& Gpu::instance() {
  static Gpu gpu;
  return gpu;
}

Gpu::Gpu()
    : context_(cuda::Context::of_device(0)), stream_(context_), library_(context_), queue_(library_, stream_.get()) {}

void Gpu::upload(void* device, const void* host, std::size_t bytes) const {
  const cuda::CurrentContext current(*context_);
  context_->driver().cuMemcpyHtoDAsync(cuda::address_of(device), host, bytes, stream_.get());
  synchronize();
}

void Gpu::download(void* host, const void* device, std::size_t bytes) const {
  const cuda::CurrentContext current(*context_);
  context_->driver().cuMemcpyDtoHAsync(host, cuda::address_of(device), bytes, stream_.get());
  synchronize();
}

DeviceBytes::DeviceBytes(std::size_t bytes) : memory_(Gpu::instance().context(), bytes + 2 * kGuard), bytes_(bytes) {
  Gpu::instance().queue().set_bytes(memory_.data(), kCanary, kGuard);
  Gpu::instance().queue().set_bytes(data() + bytes_, kCanary, kGuard);
}

void DeviceBytes::require_intact() const {
  std::vector<std::uint8_t> found(kGuard);
  for (const bool before : {true, false}) {
    Gpu::instance().download(found.data(), before ? memory_.data() : data() + bytes_, kGuard);
    for (std::size_t i = 0; i < kGuard; ++i)
      if (found[i] != kCanary)
        FAIL("canary " << (before ? kGuard - i : i) << (before ? " before the first" : " after the last") << " of "
                       << bytes_ << " bytes: got " << static_cast<int>(found[i]) << ", want "
                       << static_cast<int>(kCanary));
  }
}

}  // namespace maskrt::testing
