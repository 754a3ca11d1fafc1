// Pillow's coefficients on the device, for one chunk of the source at a time. Computed in double in the order of
// operations of pillow_taps.cpp, with explicit rounding, so that the bits are the same.
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

/// The source pixels [first, end) of one output pixel's window. A last pixel of weight zero, which every window has
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
  return static_cast<int>(__dadd_rn(0.5, __dmul_rn(weight, 1 << PillowTaps::kBits)));
}

/// The windows of `Outputs` neighbouring output pixels and, for a chunk of `Sources` source pixels, their weights.
/// Where the axis shrinks, at most three windows share a source pixel and windows three apart share none: three rows of
/// weights, each as long as the chunk, hold all. Where it does not shrink, a window has at most three pixels. In shared
/// memory; all methods are called by all threads of a block, and the caller places barriers between them.
template <int Outputs, int Sources>
struct PillowTile {
  static_assert(Outputs <= Sources);
  static_assert(Sources <= 128);
  /// One output's taps in the chunk: the first source pixel, relative to the chunk, their number, and the index of
  /// their first weight. One word.
  struct Taps {
    unsigned char first, count;
    unsigned short weights;
  };
  PillowAxis axis;  // in shared memory, to save registers for the sums
  PillowWindow windows[Outputs];
  Taps taps[Outputs];
  int weights[3 * Sources];

  /// Computes the windows of outputs begin .. begin + Outputs - 1 of an axis; those from `end` on are empty.
  __device__ void find_windows(const PillowAxis& of, int begin, int end, int thread) {
    if (thread < 0 || thread >= Outputs) return;
    if (thread == 0) axis = of;
    windows[thread] = begin + thread < end ? pillow_window(of, begin + thread) : PillowWindow{0, 0, 0, 0};
  }

  /// Computes the weights for the chunk of source pixels [first_source, first_source + Sources).
  __device__ void find_weights(int first_source, int thread, int threads) {
    const int each = threads / Outputs, output = thread / each;
    const PillowWindow w = windows[output];
    const int first = max(w.first, first_source), count = max(0, min(w.end, first_source + Sources) - first);
    const int to = axis.scale > 1 ? output % 3 * Sources + first - first_source : output * 3 + first - w.first;
    if (thread % each == 0) {
      taps[output] = {static_cast<unsigned char>(first - first_source), static_cast<unsigned char>(count),
                      static_cast<unsigned short>(to)};
    }
#pragma unroll 1  // a division in double already takes many registers
    for (int k = thread % each; k < count; k += each) weights[to + k] = pillow_weight(axis, w, first + k);
  }

  /// Calls use(source pixel relative to the chunk, weight) for the pixels of an output's window that lie in the chunk.
  template <typename Use>
  __device__ void for_each_weight(int output, Use&& use) const {
    const Taps t = taps[output];
    const int *weight = weights + t.weights, *end = weight + t.count;
#pragma unroll 1  // the sums of several outputs already take many registers
    for (int k = t.first; weight < end; ++k, ++weight) use(k, *weight);
  }
};

}  // namespace maskrt::kernels::cuda
