// One axis of the maps that post-processing resizes. Read by host and device code, with the same bits on both.
#pragma once

#include "../cuda/divisor.h"

namespace maskrt::kernels::cuda {

/// bilinear_tap of resize.h: which two source positions a position lies between, and the weight of the second.
struct AxisTap {
  int low, high;
  float weight;
};

MASKRT_HOST_DEVICE inline AxisTap axis_tap(int position, int size, float step) {
#ifdef __CUDA_ARCH__
  // Rounded operation by operation as on the host: nothing may be contracted.
  const float at = fmaxf(__fadd_rn(__fmul_rn(__fadd_rn(static_cast<float>(position), 0.5f), step), -0.5f), 0.0f);
#else
  const float scaled = (static_cast<float>(position) + 0.5f) * step - 0.5f;
  const float at = scaled > 0.0f ? scaled : 0.0f;
#endif
  const int low = static_cast<int>(at) < size - 1 ? static_cast<int>(at) : size - 1;
  return {low, low < size - 1 ? low + 1 : low, at - static_cast<float>(low)};
}

/// What a block of `tile` positions from `first` on reads of the source axis, [begin, end), and the part of it,
/// [own_begin, own_end), that it transposes: the parts of all blocks cover the axis once.
struct AxisTile {
  int begin, end, own_begin, own_end;
};

MASKRT_HOST_DEVICE inline AxisTile axis_tile(int first, int tile, int map_size, int size, float step) {
  const auto starts_at = [&](int position) {
    const int at = static_cast<int>(static_cast<float>(position) * step);
    return position >= map_size || at > size ? size : at;
  };
  const int end = first + tile < map_size ? first + tile : map_size;
  const AxisTap left = axis_tap(first, size, step), right = axis_tap(end - 1, size, step);
  AxisTile t{left.low, right.high + 1, starts_at(first), starts_at(first + tile)};
  if (t.own_begin < t.begin) t.begin = t.own_begin;
  if (t.own_end > t.end) t.end = t.own_end;
  return t;
}

}  // namespace maskrt::kernels::cuda
