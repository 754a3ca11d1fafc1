// Handles that programs hold: numbers that are never used again, so that a stale or wild one is found out.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "driver/objects/status.h"

namespace vgpu::driver {

/// The live objects of one kind. `Handle` is the header's opaque pointer type. Thread-safe.
template <class Handle, class T>
class Handles {
 public:
  /// `kind` keeps the handles of different kinds apart; 1 to 255.
  explicit Handles(std::uint32_t kind) : next_(std::uintptr_t{0x6000'0000'0000} | std::uintptr_t{kind} << 32) {}

  Handle add(std::shared_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    next_ += 16;
    objects_[next_] = std::move(object);
    return reinterpret_cast<Handle>(next_);
  }
  /// Null where the handle is none.
  std::shared_ptr<T> find(Handle handle) const {
    const std::lock_guard lock(mutex_);
    const auto it = objects_.find(reinterpret_cast<std::uintptr_t>(handle));
    return it == objects_.end() ? nullptr : it->second;
  }
  /// Throws Status with `code` where the handle is none.
  std::shared_ptr<T> get(Handle handle, CUresult code = CUDA_ERROR_INVALID_HANDLE) const {
    std::shared_ptr<T> object = find(handle);
    require(object != nullptr, code, "expected a live handle, found one that is none or was destroyed");
    return object;
  }
  /// As get; the handle is none from now on.
  std::shared_ptr<T> remove(Handle handle, CUresult code = CUDA_ERROR_INVALID_HANDLE) {
    const std::lock_guard lock(mutex_);
    const auto it = objects_.find(reinterpret_cast<std::uintptr_t>(handle));
    require(it != objects_.end(), code, "expected a live handle, found one that is none or was destroyed");
    std::shared_ptr<T> object = std::move(it->second);
    objects_.erase(it);
    return object;
  }
  /// Removes those for which `dead` holds; returns them.
  template <class Predicate>
  std::vector<std::shared_ptr<T>> remove_if(Predicate dead) {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<T>> removed;
    for (auto it = objects_.begin(); it != objects_.end();) {
      if (dead(*it->second)) {
        removed.push_back(std::move(it->second));
        it = objects_.erase(it);
      } else {
        ++it;
      }
    }
    return removed;
  }
  /// The handle of the first object for which `wanted` holds; null where there is none.
  template <class Predicate>
  Handle handle_of(Predicate wanted) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [value, object] : objects_) {
      if (wanted(*object)) return reinterpret_cast<Handle>(value);
    }
    return nullptr;
  }
  template <class Predicate>
  std::size_t count_if(Predicate wanted) const {
    const std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& [value, object] : objects_) n += wanted(*object) ? 1 : 0;
    return n;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return objects_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::uintptr_t next_;
  std::map<std::uintptr_t, std::shared_ptr<T>> objects_;
};

}  // namespace vgpu::driver
