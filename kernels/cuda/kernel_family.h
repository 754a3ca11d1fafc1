// Dispatch of kernels by the types of their tensors: a table for each family, so that a combination of types without a
// kernel is an error and never runs as another one.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string_view>

#include "launch.h"

namespace maskrt::kernels::cuda {

/// Up to `most` things in a constant expression.
template <typename T, std::size_t most>
class Few {
 public:
  constexpr Few(std::initializer_list<T> items) : count_(items.size()) {
    if (items.size() > most) throw std::length_error("more than a constant has room for");
    std::size_t i = 0;
    for (const T& item : items) items_[i++] = item;
  }
  constexpr std::span<const T> all() const { return {items_.data(), count_}; }

 private:
  std::array<T, most> items_{};
  std::size_t count_;
};

/// The types of the tensors by which a family dispatches, in the family's order.
using Types = Few<DataType, 3>;

struct TypedKernel {
  Types types{};
  KernelName kernel{};
};

/// The kernels that compute the same for tensors of different types.
struct KernelFamily {
  std::string_view name;     ///< as errors call it: "max pool"
  std::string_view tensors;  ///< names of the tensors that have these types: "input, output"
  Few<TypedKernel, 4> kernels;

  /// The kernel for tensors of these types. Throws Error that names the family, the types that it has kernels for and
  /// these, where there is none: "max pool (input, output): expected (fp32, fp32) or (fp16, fp16), found (bf16, bf16)".
  KernelName of(const Types& types) const;
};

}  // namespace maskrt::kernels::cuda
