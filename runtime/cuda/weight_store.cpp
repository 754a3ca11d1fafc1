#include "weight_store.h"

namespace maskrt::cuda {

WeightStore::WeightStore(std::shared_ptr<const Context> context) : context_(std::move(context)), stream_(context_) {}

const std::byte* WeightStore::get(const std::string& key, const std::function<std::vector<std::byte>()>& make) {
  const std::lock_guard lock(mutex_);
  if (const auto found = memory_.find(key); found != memory_.end()) return found->second.data();
  const std::vector<std::byte> host = make();
  DeviceMemory device(context_, host.size());
  if (!host.empty()) {
    const CurrentContext current(*context_);
    context_->driver().cuMemcpyHtoDAsync(address_of(device.data()), host.data(), host.size(), stream_.get());
    stream_.synchronize();
  }
  return memory_.emplace(key, std::move(device)).first->second.data();
}

std::size_t WeightStore::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [key, memory] : memory_) sum += memory.bytes();
  return sum;
}

}  // namespace maskrt::cuda
