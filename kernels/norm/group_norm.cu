// Group normalisation: out = activation((in - mean) / sqrt(variance + epsilon) * weight[c] + bias[c]), mean and
// variance being those of a group's channels at all positions of an image; in and out [B, H, W, C], NHWC, fp32 or fp16;
// computed in fp32 and rounded once.
//
// A slab is as many whole groups as fill a sector of global memory: two groups of eight channels in fp16. A block, or
// on sm_90 a cluster of up to 8, has a slab of an image at all positions, each block a share of them, which it keeps in
// shared memory while it goes over them three times: for the sum, for the squares of the distances from the mean, so
// that no digits cancel whatever the mean is, and for the results. Positions beyond what shared memory holds are read
// again, by the thread that read them before; so out may be in. A thread has the vectors of 16 bytes at one place of
// the slab, at every rows-th position, and a sum for each of a vector's channels. A warp then adds a group's sums of
// all threads; blocks of a cluster read each other's, in the order of ranks. The order of sums does not depend on
// scheduling.
// Example: 80 x 108 positions of 256 channels in 32 groups, fp16: 16 slabs of 16 channels (2 vectors), clusters of 8
// blocks on 132 multiprocessors. A block has 1080 positions, 128 at a time, and keeps 34560 bytes. With C = 20 in 5
// groups there is one slab of 3 vectors, the last with 4 channels that exist: the others count in no sum.
// Bound by memory: each number is read and written once, where a share fits. A slab's loads are one sector a position:
// with groups of 8 the whole map is read once, by all slabs together.
// Launch: grid [blocks of a cluster, slabs, B], clusters of [blocks, 1, 1], 256 threads, dynamic shared memory: kept
// positions, rows x a slab's channels as floats, two floats for each group of a slab in whole fours, and, of slabs of
// at most 1024 channels, their weights and biases. Programmatic dependent launch on sm_90.
#include "group_norm_params.h"
#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/cluster.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/shared_address.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kThreads = kGroupNormThreads;

/// A block's share of a slab.
template <typename T>
struct Share {
  static constexpr int each = kChannelsOfThread<T>;

  const GroupNormParams& p;
  int first_channel, groups, image, begin, end;
  T* kept;        // [p.kept, p.vectors * each]
  float* sums;    // [p.rows, p.vectors * each]
  float* totals;  // [2, group_sum_floats(groups)]: the block's, by group, of one pass and of the next

  __device__ Share(const GroupNormParams& params, unsigned char* shared) : p(params) {
    first_channel = static_cast<int>(blockIdx.y) * p.slab_channels;
    groups = min(p.slab_channels, p.in.channels - first_channel) / p.group_channels;
    image = static_cast<int>(blockIdx.z);
    const int positions = p.in.height * p.in.width,
              share = (positions + static_cast<int>(gridDim.x) - 1) / static_cast<int>(gridDim.x);
    begin = min(static_cast<int>(blockIdx.x) * share, positions);
    end = min(begin + share, positions);
    kept = reinterpret_cast<T*>(shared);
    sums = reinterpret_cast<float*>(shared + p.kept * p.vectors * 16);
    totals = sums + p.rows * p.vectors * each;
  }

  __device__ int channel_of(int vector) const { return first_channel + vector * each; }
  __device__ T* place_of(int position, int vector) const {
    return kept + ((position - begin) * p.vectors + vector) * each;
  }
  /// From global memory; zeros for channels that do not exist.
  __device__ Channels<each> load(int position, int vector) const {
    const int channel = channel_of(vector);
    Channels<each> x = load_channels<each>(p.in, pixel_of<const T>(p.in, image, position), channel);
    clear_beyond(p.in.channels, channel, x);
    return x;
  }
  __device__ Channels<each> load_and_keep(int position, int vector) const {
    const Channels<each> x = load(position, vector);
    if (position - begin < p.kept) store_wide(place_of(position, vector), x);
    return x;
  }
  __device__ Channels<each> load_again(int position, int vector) const {
    if (position - begin < p.kept) return load_wide<each>(place_of(position, vector));
    return load(position, vector);
  }

  /// Calls f(vector, row) for this thread's vectors of a position: one, unless a position has more than there are
  /// threads.
  template <typename F>
  __device__ void for_vectors(F&& f) const {
    const int thread = static_cast<int>(threadIdx.x);
    if (p.vectors <= kThreads) {
      const int row = thread / p.vectors;
      if (row < p.rows) f(thread - row * p.vectors, row);
      return;
    }
    for (int vector = thread; vector < p.vectors; vector += kThreads) f(vector, 0);
  }

  /// A group's total of `totals` over the cluster's blocks, in the order of their ranks.
  __device__ float over_cluster(const float* of_groups, int group) const {
#if __CUDA_ARCH__ >= 900
    const std::uint32_t four = ptx::shared_address(of_groups + group / 4 * 4);
    float sum = 0;
    for (unsigned rank = 0; rank < gridDim.x; ++rank) {
      const float4 more = ptx::load_shared_of_block(ptx::shared_of_block(four, rank));
      const int place = group % 4;
      sum += place == 0 ? more.x : place == 1 ? more.y : place == 2 ? more.z : more.w;
    }
    return sum;
#else
    return of_groups[group];
#endif
  }

  /// Adds up each group's share of the sums of all threads. Called by all threads; on return all blocks of the cluster
  /// have their totals.
  __device__ void add_groups(float* of_groups) const {
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x % 32), width = p.vectors * each;
    for (int group = static_cast<int>(threadIdx.x / 32); group < groups; group += kThreads / 32) {
      float sum = 0;
      const int last = (group + 1) * p.group_channels;
      for (int row = 0; row < p.rows; ++row)
        for (int channel = group * p.group_channels + lane; channel < last; channel += 32)
          sum += sums[row * width + channel];
#pragma unroll
      for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
      if (lane == 0) of_groups[group] = sum;
    }
#if __CUDA_ARCH__ >= 900
    ptx::cluster_arrive();
    ptx::cluster_wait();
#else
    __syncthreads();
#endif
  }

  __device__ void give(int vector, int row, const Channels<each>& sum) const {
    store_wide(sums + (row * p.vectors + vector) * each, sum);
  }
  /// f(group) for each channel of a vector; 0 for channels beyond the slab's last.
  template <typename F>
  __device__ Channels<each> of_channels(int vector, F&& f) const {
    Channels<each> o{};
#pragma unroll
    for (int i = 0; i < each; ++i) {
      const int group = (vector * each + i) / p.group_channels;
      if (group < groups) o.v[i] = f(group);
    }
    return o;
  }
};

template <typename T>
__device__ void group_norm(const GroupNormParams& p) {
  constexpr int each = Share<T>::each;
  extern __shared__ __align__(16) unsigned char shared[];
  ptx::let_next_grid_start();
  const Share<T> share(p, shared);
  float* const squares = share.totals + group_sum_floats(p.slab_channels / p.group_channels);
  float* const parameters = squares + group_sum_floats(p.slab_channels / p.group_channels);
  if (p.parameters_staged != 0) {
    for (int i = static_cast<int>(threadIdx.x); i < p.vectors * each; i += kThreads) {
      const int channel = share.first_channel + i;
      const bool exists = i < p.slab_channels && channel < p.in.channels;
      parameters[i] = exists ? p.weight[channel] : 0.0f;
      parameters[p.vectors * each + i] = exists ? p.bias[channel] : 0.0f;
    }
  }
  ptx::wait_for_previous_grid();

  share.for_vectors([&](int vector, int row) {
    Channels<each> sum{};
#pragma unroll 4
    for (int position = share.begin + row; position < share.end; position += p.rows) {
      const Channels<each> x = share.load_and_keep(position, vector);
#pragma unroll
      for (int i = 0; i < each; ++i) sum.v[i] += x.v[i];
    }
    share.give(vector, row, sum);
  });
  share.add_groups(share.totals);

  const auto mean_of = [&](int group) { return share.over_cluster(share.totals, group) * p.inverse_count; };
  share.for_vectors([&](int vector, int row) {
    const Channels<each> mean = share.of_channels(vector, mean_of);
    Channels<each> sum{};
#pragma unroll 2
    for (int position = share.begin + row; position < share.end; position += p.rows) {
      const Channels<each> x = share.load_again(position, vector);
#pragma unroll
      for (int i = 0; i < each; ++i) sum.v[i] = fmaf(x.v[i] - mean.v[i], x.v[i] - mean.v[i], sum.v[i]);
    }
    share.give(vector, row, sum);
  });
  share.add_groups(squares);

  share.for_vectors([&](int vector, int row) {
    const int channel = share.channel_of(vector);
    const Channels<each> mean = share.of_channels(vector, mean_of);
    Channels<each> scale = share.of_channels(vector, [&](int group) {
      return rsqrtf(fmaf(share.over_cluster(squares, group), p.inverse_count, p.epsilon));
    });
    Channels<each> bias{};
    if (p.parameters_staged != 0) {
      const Channels<each> weight = load_wide<each>(parameters + vector * each);
      bias = load_wide<each>(parameters + (p.vectors + vector) * each);
#pragma unroll
      for (int i = 0; i < each; ++i) scale.v[i] *= weight.v[i];
    } else {
#pragma unroll
      for (int i = 0; i < each; ++i) {
        if (channel + i >= p.in.channels) continue;
        scale.v[i] *= p.weight[channel + i];
        bias.v[i] = p.bias[channel + i];
      }
    }
#pragma unroll 2
    for (int position = share.begin + row; position < share.end; position += p.rows) {
      Channels<each> x[] = {share.load_again(position, vector)};
#pragma unroll
      for (int i = 0; i < each; ++i) x[0].v[i] = fmaf(x[0].v[i] - mean.v[i], scale.v[i], bias.v[i]);
      activate(x, p.activation, p.slope);
      store_channels(p.out, pixel_of<T>(p.out, share.image, position), channel, x[0]);
    }
  });
  // Padding beyond the last vector of channels.
  const int stored = share.channel_of(p.vectors);
  if (stored >= p.in.channels && stored < p.out.block) {
    for (int position = share.begin + static_cast<int>(threadIdx.x); position < share.end; position += kThreads)
      for (int channel = stored; channel < p.out.block; channel += each)
        store_channels(p.out, pixel_of<T>(p.out, share.image, position), channel, Channels<each>{});
  }
#if __CUDA_ARCH__ >= 900
  // A block's totals are read by the others until they have their scales.
  ptx::cluster_arrive();
  ptx::cluster_wait();
#endif
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kThreads) group_norm_f32(const __grid_constant__ GroupNormParams p) {
  group_norm<float>(p);
}
__global__ void __launch_bounds__(kThreads) group_norm_f16(const __grid_constant__ GroupNormParams p) {
  group_norm<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
