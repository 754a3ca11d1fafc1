// Loads tiles of the left operand of a deformable convolution's implicit GEMM: samples the map at the corners of a
// table (corner_table.cuh), straight into shared memory. No im2col matrix is materialised.
//
// A tile's row, one pixel, has 4 or 8 chunks of 16 bytes (64 or 128 bytes of depth). Neighbouring threads have
// neighbouring chunks of a pixel, so that the loads of each corner fill sectors, and with 8 chunks a line of the L1
// cache. fetch() starts the loads of a chunk into registers; put() blends them in f32, rounds once to the operand's
// type and stores the chunk, swizzled as in implicit_gemm.cuh. In f32 because f16 would round four products and three
// sums. Example: 64 channels of a 3 x 3 kernel are 9 steps of one tap each; 24 channels are 27 chunks, 9 taps by 3, in
// steps of 8: the fourth step has chunks 24 to 26 and 5 chunks of zeros, the padding of the run.
#pragma once

#include "corner_table.cuh"
#include "kernels/conv/cuda/device/implicit_gemm.cuh"

namespace maskrt::kernels {

/// Eight f16 of four corners, blended.
__device__ __forceinline__ uint4 blend(const uint4 (&corners)[4], const float4& weight, const __half*) {
  const float weights[4] = {weight.x, weight.y, weight.z, weight.w};
  float2 sum[4];
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const std::uint32_t words[4] = {corners[k].x, corners[k].y, corners[k].z, corners[k].w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float2 pair = __half22float2(*reinterpret_cast<const __half2*>(&words[i]));
      sum[i].x = k == 0 ? pair.x * weights[k] : fmaf(pair.x, weights[k], sum[i].x);
      sum[i].y = k == 0 ? pair.y * weights[k] : fmaf(pair.y, weights[k], sum[i].y);
    }
  }
  std::uint32_t bits[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const __half2 pair = __float22half2_rn(sum[i]);
    bits[i] = *reinterpret_cast<const std::uint32_t*>(&pair);
  }
  return make_uint4(bits[0], bits[1], bits[2], bits[3]);
}

/// Four f32 of four corners, blended.
__device__ __forceinline__ uint4 blend(const uint4 (&corners)[4], const float4& weight, const float*) {
  const float weights[4] = {weight.x, weight.y, weight.z, weight.w};
  float sum[4];
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const std::uint32_t words[4] = {corners[k].x, corners[k].y, corners[k].z, corners[k].w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float value = __uint_as_float(words[i]);
      sum[i] = k == 0 ? value * weights[k] : fmaf(value, weights[k], sum[i]);
    }
  }
  return make_uint4(__float_as_uint(sum[0]), __float_as_uint(sum[1]), __float_as_uint(sum[2]), __float_as_uint(sum[3]));
}

/// The position along the depth of one thread's chunks, one step of `elements` elements after the other.
struct SampleCursor {
  // The run: the same in all threads.
  int part_channel;  // the part's first channel in `in`
  int tap_group, taps;
  int steps_left;  // of the run; negative: and its corners are not in the table
  // The chunk of the current step: tap of the run, channel of the part, the same within its block of channels.
  int tap, channel, in_block;

  /// Before the group's step number `first_step`; `at`: this thread's element of a step.
  __device__ __forceinline__ void start(const DeformParams& p, int group, int first_step, int elements, int at) {
    const int part_steps = (p.tap_groups - 1) * p.run_steps + p.last_run_steps, part = first_step / part_steps;
    const int in_part = first_step - part * part_steps;
    tap_group = min(in_part / p.run_steps, p.tap_groups - 1);
    part_channel = group * p.conv.group_in + part * p.part_channels;
    begin_run(p, at);
    // Whole blocks of channels before this step, and the rest of the way.
    const int step = in_part - tap_group * p.run_steps, whole = p.block * taps;
    steps_left += step;
    channel += step * elements / whole * p.block;
    move(p, step * elements % whole);
  }
  /// Whether the corners of the current step are another run's than those in the table. The same in all threads.
  __device__ __forceinline__ bool run_is_new() const { return steps_left < 0; }
  /// Fills the table for the current run; see CornerTable::fill.
  template <int threads, int in_flight, int rows>
  __device__ __forceinline__ void enter_run(const DeformParams& p, const CornerTable<rows>& table, int thread,
                                            int first_pixel) {
    steps_left = -steps_left;
    table.template fill<threads, in_flight>(p, thread, first_pixel, part_channel / p.offset_group_channels,
                                            tap_group * p.run_taps, taps);
  }
  __device__ __forceinline__ void advance(const DeformParams& p, int elements, int at) {
    if (--steps_left != 0) {
      move(p, elements);
      return;
    }
    if (++tap_group == p.tap_groups) {
      tap_group = 0;
      part_channel += p.part_channels;
    }
    begin_run(p, at);
  }
  /// Whether the chunk is one of samples, not of the padding at the end of a run.
  __device__ __forceinline__ bool exists(const DeformParams& p) const { return channel < p.conv.tap_channels; }
  /// The chunk's first channel of pixel 0, or channel 0 for chunks of padding.
  template <typename T>
  __device__ __forceinline__ const T* address(const DeformParams& p) const {
    return static_cast<const T*>(p.conv.in) + part_channel + (exists(p) ? channel : 0);
  }

 private:
  __device__ __forceinline__ void begin_run(const DeformParams& p, int at) {
    const bool last = tap_group == p.tap_groups - 1;
    taps = last ? p.taps - tap_group * p.run_taps : p.run_taps;
    steps_left = last ? -p.last_run_steps : -p.run_steps;
    tap = channel = in_block = 0;
    move(p, at);
  }
  __device__ __forceinline__ void move(const DeformParams& p, int by) {
    channel += by;
    in_block += by;
    while (in_block >= p.block) {
      in_block -= p.block;
      channel -= p.block;
      if (++tap == taps) {
        tap = 0;
        channel += p.block;
      }
    }
  }
};

/// Samples tiles of `rows` pixels by `chunks` chunks of depth, one step after the other: for kernels all of whose
/// threads both sample and multiply. With `any_alignment`, inputs whose chunks are not aligned are loaded element by
/// element.
template <typename T, int rows, int chunks, int threads, bool any_alignment = false>
class Sampler {
 public:
  static constexpr int kPass = threads / chunks, kPasses = rows / kPass, kElements = kElementsOfChunk<T>;
  static_assert(threads % chunks == 0 && rows % kPass == 0 && kPass % 8 == 0);
  /// For begin(): where registers are free, and in the main loop.
  static constexpr int kAllInFlight = (CornerTable<rows>::kEntries + threads - 1) / threads, kOneInFlight = 1;

  __device__ __forceinline__ explicit Sampler(void* table) : table_(table) {}

  /// Before the first step, which is number `first_step` of the group's.
  __device__ __forceinline__ void start(const DeformParams& p, int first_pixel, int group, int first_step) {
    const int row = static_cast<int>(threadIdx.x / chunks), chunk = static_cast<int>(threadIdx.x % chunks);
    place_ = swizzled<chunks>(row, chunk);
    row_entry_ = row * kDeformRunTaps;
    first_pixel_ = first_pixel;
    cursor_.start(p, group, first_step, chunks * kElements, first_element());
  }
  /// Takes up the next step, whose corners this finds where they are those of another run. Called by all threads; each
  /// has stored the chunks of the preceding step, and there was a barrier since. `in_flight`: see CornerTable::fill.
  template <int in_flight>
  __device__ __forceinline__ void begin(const DeformParams& p) {
    if (cursor_.run_is_new()) {
      cursor_.template enter_run<threads, in_flight>(p, table_, static_cast<int>(threadIdx.x), first_pixel_);
      __syncthreads();
    }
    entry_ = row_entry_ + cursor_.tap;
    exists_ = cursor_.exists(p);
    left_ = p.part_channels - cursor_.channel;
    from_ = cursor_.template address<T>(p);
    cursor_.advance(p, chunks * kElements, first_element());
  }
  /// Starts the loads of pass i of the step's chunks: of every kPass-th row.
  __device__ __forceinline__ void fetch(const DeformParams& p, int i) {
    if (any_alignment && p.conv.in_wide == 0) return;
    const int4 at = table_.at[entry_ + i * kPass * kDeformRunTaps];
    held_[i][0] = *reinterpret_cast<const uint4*>(from_ + at.x);
    held_[i][1] = *reinterpret_cast<const uint4*>(from_ + at.y);
    held_[i][2] = *reinterpret_cast<const uint4*>(from_ + at.z);
    held_[i][3] = *reinterpret_cast<const uint4*>(from_ + at.w);
  }
  /// Blends the chunk that fetch() has loaded and stores it to the tile at `shared`.
  __device__ __forceinline__ void put(const DeformParams& p, std::uint32_t shared, int i) const {
    const int entry = entry_ + i * kPass * kDeformRunTaps;
    const float4 weight = table_.weight[entry];
    uint4 value;
    if (any_alignment && p.conv.in_wide == 0) {
      value = sample_elements(table_.at[entry], weight);
    } else {
      value = blend(held_[i], weight, static_cast<T*>(nullptr));
    }
    if (weight.x < 0.0f || !exists_) value = make_uint4(0, 0, 0, 0);
    ptx::store_shared(shared + place_ + static_cast<std::uint32_t>(i * kPass * chunks * 16), value);
  }

 private:
  /// Of a step, this thread's.
  __device__ __forceinline__ static int first_element() { return static_cast<int>(threadIdx.x % chunks) * kElements; }
  /// A chunk of samples, element by element.
  __device__ __forceinline__ uint4 sample_elements(const int4& at, const float4& weight) const {
    alignas(16) T chunk[kElements] = {};
#pragma unroll
    for (int i = 0; i < kElements; ++i) {
      if (i >= left_) continue;
      const auto value = [&](int corner) { return cuda::widen(from_[corner + i]); };
      chunk[i] = cuda::narrow<T>(fmaf(
          value(at.w), weight.w, fmaf(value(at.z), weight.z, fmaf(value(at.y), weight.y, value(at.x) * weight.x))));
    }
    return *reinterpret_cast<const uint4*>(chunk);
  }

  CornerTable<rows> table_;
  std::uint32_t place_;  // byte offset of this thread's first chunk in a tile
  int row_entry_;        // its row's first entry in the table
  int first_pixel_;
  SampleCursor cursor_;  // of the step after begin()'s
  // Of begin()'s step: the first row's entry, whether the chunk exists, channels from its first one on, that channel of
  // pixel 0.
  int entry_;
  bool exists_;
  int left_;
  const T* from_;
  uint4 held_[kPasses][4];
};

}  // namespace maskrt::kernels
