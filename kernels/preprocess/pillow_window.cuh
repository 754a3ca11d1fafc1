// Pillow's coefficients on the device, a stretch of the source at a time. In double, in the order of operations of
// pillow_taps.cpp, each rounded as written: the bits are the same.
#pragma once

#include "pillow_taps.h"

namespace maskrt::kernels::cuda {

/// One axis of a resize.
struct PillowAxis {
  double scale, support, inverse;
  int in;
};

__device__ inline PillowAxis pillow_axis(int in, int out) {
  const double scale = __ddiv_rn(in, out), support = fmax(scale, 1.0);
  return {scale, support, __ddiv_rn(1.0, support), in};
}

/// The source pixels [first, end) that one output pixel is made of. A last one without weight, as each window has it
/// where the axis keeps its size, is left out.
struct PillowWindow {
  double centre, sum;
  int first, end;
};

__device__ inline double triangle(const PillowAxis& axis, double centre, int position) {
  const double distance = fabs(__dmul_rn(__dadd_rn(__dadd_rn(position, -centre), 0.5), axis.inverse));
  return distance < 1.0 ? __dadd_rn(1.0, -distance) : 0.0;
}

__device__ inline PillowWindow pillow_window(const PillowAxis& axis, int i) {
  PillowWindow w;
  w.centre = __dmul_rn(__dadd_rn(i, 0.5), axis.scale);
  w.first = max(0, static_cast<int>(__dadd_rn(__dadd_rn(w.centre, -axis.support), 0.5)));
  w.end = min(axis.in, static_cast<int>(__dadd_rn(__dadd_rn(w.centre, axis.support), 0.5)));
  w.sum = 0;
  double part = 0;
  for (int position = w.first; position < w.end; ++position) {
    part = triangle(axis, w.centre, position);
    w.sum = __dadd_rn(w.sum, part);
  }
  if (part == 0) w.end = max(w.first, w.end - 1);
  return w;
}

__device__ inline int pillow_weight(const PillowAxis& axis, const PillowWindow& w, int position) {
  const double part = triangle(axis, w.centre, position);
  const double weight = w.sum != 0 ? __ddiv_rn(part, w.sum) : part;
  return static_cast<int>(__dadd_rn(0.5, __dmul_rn(weight, 1 << PillowTaps::bits)));
}

/// The windows of `Outputs` neighbouring output pixels and, for a stretch of `Sources` source pixels, their weights.
/// Where the axis shrinks, three windows at most share a source pixel, and windows three apart share none: three rows
/// of weights, each as long as the stretch, hold all. Where it does not, a window has three pixels at most. In shared
/// memory; all methods are called by all threads of a block, with barriers between by the caller.
template <int Outputs, int Sources>
struct PillowTile {
  static_assert(Outputs <= Sources);
  static_assert(Sources <= 128);
  /// Of one output: its source pixels in the stretch, from its beginning on, and where their weights begin. One word.
  struct Taps {
    unsigned char first, count;
    unsigned short weights;
  };
  PillowAxis axis;  // here and not in registers, which the sums need
  PillowWindow windows[Outputs];
  Taps taps[Outputs];
  int weights[3 * Sources];

  /// Of outputs begin .. end - 1 of an axis; those beyond get empty windows.
  __device__ void find_windows(const PillowAxis& of, int begin, int end, int thread) {
    if (thread < 0 || thread >= Outputs) return;
    if (thread == 0) axis = of;
    windows[thread] = begin + thread < end ? pillow_window(of, begin + thread) : PillowWindow{0, 0, 0, 0};
  }

  /// For source pixels [stretch, stretch + Sources).
  __device__ void find_weights(int stretch, int thread, int threads) {
    const int each = threads / Outputs, output = thread / each;
    const PillowWindow w = windows[output];
    const int first = max(w.first, stretch), count = max(0, min(w.end, stretch + Sources) - first);
    const int to = axis.scale > 1 ? output % 3 * Sources + first - stretch : output * 3 + first - w.first;
    if (thread % each == 0) {
      taps[output] = {static_cast<unsigned char>(first - stretch), static_cast<unsigned char>(count),
                      static_cast<unsigned short>(to)};
    }
#pragma unroll 1  // a division in double takes registers enough
    for (int k = thread % each; k < count; k += each) weights[to + k] = pillow_weight(axis, w, first + k);
  }

  /// use(source pixel, weight) for those of an output's window that lie in the stretch, counted from its beginning.
  template <typename Use>
  __device__ void for_each_weight(int output, Use&& use) const {
    const Taps t = taps[output];
    const int *weight = weights + t.weights, *end = weight + t.count;
#pragma unroll 1  // the sums of several outputs already fill the registers
    for (int k = t.first; weight < end; ++k, ++weight) use(k, *weight);
  }
};

}  // namespace maskrt::kernels::cuda
