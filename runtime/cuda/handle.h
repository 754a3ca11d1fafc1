// What the driver hands out and wants back.
#pragma once

#include <memory>
#include <utility>

#include "context.h"

namespace maskrt::cuda {

/// A handle of the driver's, given back by `Destroy` (an entry point) when this object dies, errors unheard: a device
/// that is lost has taken its handles along. Keeps its context alive.
template <typename T, auto Destroy>
class Handle {
 public:
  explicit Handle(std::shared_ptr<const Context> context, T value = {}) : context_(std::move(context)), value_(value) {}
  Handle(Handle&& other) noexcept : context_(other.context_), value_(std::exchange(other.value_, T{})) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~Handle() {
    if (value_ == T{}) return;
    const CurrentContext current(*context_);
    const AnyCaptureMode relaxed(context_->driver());
    (context_->driver().*Destroy).status(value_);
  }

  T get() const { return value_; }
  /// For the driver to write the new handle to; the old one is none.
  T* put() { return &value_; }
  const Context& context() const { return *context_; }
  const Driver& driver() const { return context_->driver(); }

 private:
  std::shared_ptr<const Context> context_;
  T value_;
};

}  // namespace maskrt::cuda
