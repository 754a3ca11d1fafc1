// Iteration over tensors by lines: a line is one row of pixels of one block of channels, contiguous in memory.
#pragma once

#include "kernels/element.h"
#include "parallel_failure.h"

namespace maskrt::kernels {

/// Whether lines of the two tensors correspond element by element: equal blocking, dense pixels, fp32.
inline bool same_lines(const Tensor& a, const Tensor& b) {
  return a.type == DataType::f32 && b.type == DataType::f32 && a.block == b.block && a.pixel_stride == a.block &&
         b.pixel_stride == b.block;
}

/// Calls f(b, k, y) for the lines of t, k being the block of channels. Over OpenMP threads.
/// An exception of f is rethrown, and then f has not been called for some lines.
template <typename F>
void for_each_line(const Tensor& t, F&& f) {
  const std::int64_t blocks = t.blocks(), lines = t.batch * blocks * t.height;
  ParallelFailure failure;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < lines; ++i)
    failure.guard([&] { f(i / (blocks * t.height), i / t.height % blocks, i % t.height); });
  failure.rethrow();
}

/// The first element of a line.
template <typename T>
T* line(const Tensor& t, std::int64_t b, std::int64_t k, std::int64_t y) {
  return t.as<T>() + b * t.batch_stride + k * t.block_stride + y * t.width * t.pixel_stride;
}

/// Calls f(b, y, x, c) for every element, images and rows over OpenMP threads: for layouts that no fast path covers.
template <typename F>
void for_each_element_parallel(const Tensor& t, F&& f) {
  ParallelFailure failure;
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t b = 0; b < t.batch; ++b)
    for (std::int64_t y = 0; y < t.height; ++y)
      failure.guard([&] {
        for (std::int64_t x = 0; x < t.width; ++x)
          for (std::int64_t c = 0; c < t.channels; ++c) f(b, y, x, c);
      });
  failure.rethrow();
}

}  // namespace maskrt::kernels
