// Tensors in the order in which files and callers hold them: fp32, NCHW; lists [B, N, C].
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "kernels/element.h"

namespace maskrt {

/// f(n, b, y, x, c) for the tensor's elements; n counts from 0.
template <typename F>
void in_host_order(const kernels::Tensor& t, bool list, F&& f) {
  std::size_t n = 0;
  for (std::int64_t b = 0; b < t.batch; ++b) {
    if (list) {
      for (std::int64_t y = 0; y < t.height; ++y)
        for (std::int64_t c = 0; c < t.channels; ++c) f(n++, b, y, 0, c);
      continue;
    }
    for (std::int64_t c = 0; c < t.channels; ++c)
      for (std::int64_t y = 0; y < t.height; ++y)
        for (std::int64_t x = 0; x < t.width; ++x) f(n++, b, y, x, c);
  }
}

/// The numbers of a tensor in this process's memory.
inline std::vector<float> to_host_order(const kernels::Tensor& t, bool list) {
  std::vector<float> numbers(static_cast<std::size_t>(t.batch * t.height * t.width * t.channels));
  in_host_order(t, list,
                [&](std::size_t n, auto b, auto y, auto x, auto c) { numbers[n] = kernels::get(t, b, y, x, c); });
  return numbers;
}

/// The reverse, of a map. Throws Error, which `device` begins, where there are more or fewer numbers than elements.
inline void from_host_order(std::span<const float> nchw, const kernels::Tensor& t, const std::string& device) {
  const auto elements = static_cast<std::size_t>(t.batch * t.height * t.width * t.channels);
  if (nchw.size() != elements)
    throw Error(device + ": expected " + std::to_string(elements) + " numbers to write, found " +
                std::to_string(nchw.size()));
  in_host_order(t, false, [&](std::size_t n, auto b, auto y, auto x, auto c) { kernels::set(t, b, y, x, c, nchw[n]); });
}

}  // namespace maskrt
