// Tensors for kernel tests: seeded numbers, canaries on both sides, and a comparison that says where it failed.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/element.h"
#include "support/repeat_command.h"

namespace maskrt::testing {

/// A dense tensor with its memory, aligned to 64 bytes, between two stretches of bytes that nobody may write.
class OwnedTensor {
 public:
  OwnedTensor(DataType type, std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t channels,
              std::int64_t block)
      : tensor_(kernels::dense(nullptr, type, batch, height, width, channels, block)),
        memory_(tensor_.bytes() + 2 * kGuard + 64, kCanary) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data()) + kGuard;
    first_ = static_cast<std::size_t>((address + 63) / 64 * 64 - reinterpret_cast<std::uintptr_t>(memory_.data()));
    std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(first_), tensor_.bytes(), std::byte{0});
    tensor_.data = memory_.data() + first_;
  }
  OwnedTensor(const OwnedTensor&) = delete;
  OwnedTensor& operator=(const OwnedTensor&) = delete;

  const kernels::Tensor& operator*() const { return tensor_; }
  const kernels::Tensor* operator->() const { return &tensor_; }

  /// Uniform in [low, high); padding channels stay 0.
  OwnedTensor& fill(unsigned seed, float low = -1, float high = 1) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> number(low, high);
    kernels::for_each_element(
        tensor_, [&](auto b, auto y, auto x, auto c) { kernels::set(tensor_, b, y, x, c, number(engine)); });
    return *this;
  }
  /// NaN in every element (-1234567 in integers), so that one that a kernel forgets to write is seen.
  OwnedTensor& poison() {
    const float unlikely = tensor_.type == DataType::i32 ? -1234567.0f : std::numeric_limits<float>::quiet_NaN();
    kernels::for_each_element(tensor_,
                              [&](auto b, auto y, auto x, auto c) { kernels::set(tensor_, b, y, x, c, unlikely); });
    return *this;
  }

  /// What was written beside the tensor; empty where nothing was.
  std::string damage() const {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      if (i >= first_ && i < first_ + tensor_.bytes()) continue;
      if (memory_[i] != kCanary)
        return "canary " + std::to_string(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(first_)) +
               " of " + std::to_string(tensor_.bytes()) + " bytes: got " +
               std::to_string(static_cast<int>(memory_[i])) + ", want " + std::to_string(static_cast<int>(kCanary));
    }
    return "";
  }
  void require_intact() const {
    if (const std::string found = damage(); !found.empty()) FAIL(found);
  }

 private:
  static constexpr std::size_t kGuard = 256;
  static constexpr std::byte kCanary{0xA5};
  kernels::Tensor tensor_;
  std::vector<std::byte> memory_;
  std::size_t first_ = 0;
};

/// One unit in the last place at 1, halved: the largest relative error of one rounding.
constexpr double kUnitFp32 = 0x1p-24, kUnitBf16 = 0x1p-8, kUnitFp16 = 0x1p-11;

inline double unit_of(DataType type) {
  return type == DataType::bf16 ? kUnitBf16 : type == DataType::f16 ? kUnitFp16 : kUnitFp32;
}

/// How got differs from want: the number of elements that are not within bound(b, y, x, c) of want's, and the one that
/// exceeds its bound by the largest factor; a padding channel that is not 0; a canary that was written. Empty where it
/// does not differ.
template <typename Bound>
std::string difference(const OwnedTensor& got, const kernels::Tensor& want, Bound&& bound) {
  const auto shape = [](const kernels::Tensor& t) {
    return std::to_string(t.batch) + "x" + std::to_string(t.height) + "x" + std::to_string(t.width) + "x" +
           std::to_string(t.channels);
  };
  if (shape(*got) != shape(want)) return "expected a tensor of " + shape(want) + ", found " + shape(*got);
  const kernels::Tensor whole = kernels::padded(*got);
  std::int64_t count = 0, wrong = 0;
  double worst = -1;
  std::ostringstream text, padding;
  text.precision(9);
  kernels::for_each_element(whole, [&](auto b, auto y, auto x, auto c) {
    const float value = kernels::get(whole, b, y, x, c);
    if (c >= got->channels) {
      if (value != 0 && padding.str().empty())
        padding << "padding (" << b << ", " << y << ", " << x << ", " << c << "): got " << value << ", want 0";
      return;
    }
    ++count;
    const float wanted = kernels::get(want, b, y, x, c);
    const double allowed = bound(b, y, x, c), error = std::abs(static_cast<double>(value) - wanted);
    if (error <= allowed) return;
    ++wrong;
    const double over = std::isnan(error) ? std::numeric_limits<double>::infinity()
                        : allowed > 0     ? error / allowed
                                          : 1e30 * error;  // exact results: by how far they are off
    if (over <= worst) return;
    worst = over;
    text.str("");
    text << "worst at (" << b << ", " << y << ", " << x << ", " << c << "): got " << value << ", want " << wanted
         << ", off by " << error << ", bound " << allowed;
  });
  std::string found;
  if (wrong > 0) found = std::to_string(wrong) + " of " + std::to_string(count) + " elements differ, " + text.str();
  for (const std::string& more : {padding.str(), got.damage()})
    if (!more.empty()) found += (found.empty() ? "" : "; ") + more;
  return found;
}

/// Fails the test with their difference, and with the command that repeats it.
template <typename Bound>
void require_close(const OwnedTensor& got, const kernels::Tensor& want, Bound&& bound) {
  if (const std::string found = difference(got, want, bound); !found.empty())
    FAIL(found << "\nagain: " << repeat_command());
  SUCCEED();
}

/// Seeded numbers that bf16 holds exactly, so that rounding weights changes nothing.
inline std::vector<float> numbers(unsigned seed, std::int64_t count) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> number(-1, 1);
  std::vector<float> result(static_cast<std::size_t>(count));
  for (float& value : result) value = float_from_bf16(bf16_from_float(number(engine)));
  return result;
}

}  // namespace maskrt::testing
