// Convolution in f16 on Hopper (sm_90a): implicit GEMM fed by the tensor memory accelerator, products by wgmma from
// shared memory, sums in f32.
//
// A block stays: it takes every gridDim.x-th unit, a tile or one part of a tile's sum. One thread of the third
// warpgroup keeps the stages filled, each with 64 of the depth: the pixels' channels of one tap in im2col mode, where
// the map's edges become zeros, and the weights' rows. It runs ahead into the next unit while the other two warpgroups
// are in their epilogue. Those multiply with the channels as rows and the pixels as columns, so that a tile may have
// any multiple of 8 pixels: widths are chosen so that the tiles of the model's layers fill the chip in whole waves.
//
// Two blocks of a cluster take neighbouring pixels and the same channels: each copies half of the weights to both. A
// stage is free once the consumers of both have left it. Where tiles are few, a cluster has two or four such pairs,
// each with a part of the depth, and adds their sums by way of shared memory (cluster_sum.cuh).
//
// Bound by tensor cores, or by L2 where tiles are small: 256 channels by 128 pixels bring 32 KiB a step to a
// multiprocessor for 1024 cycles of products.
#include <cuda_fp16.h>

#include "kernels/ptx/cluster.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/mbarrier.cuh"
#include "kernels/ptx/named_barrier.cuh"
#include "kernels/ptx/setmaxnreg.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "kernels/ptx/special_registers.cuh"
#include "kernels/ptx/tensor_copy.cuh"
#include "kernels/ptx/wgmma.cuh"
#include "cluster_sum.cuh"
#include "kernels/conv/cuda/conv_tma_params.h"
#include "epilogue.cuh"
#include "next_weights.cuh"
#include "split_sum.cuh"

namespace maskrt::kernels {
namespace {

constexpr int consumers = 256, threads = 384, step_depth = 64, row_bytes = step_depth * 2;

/// Each of two warpgroups computes blocks_ x 64 channels by pixels_ pixels. They lie side by side in channels, or in
/// pixels where `shares_channels_` is set.
template <int blocks_, int pixels_, bool shares_channels_, int stages_>
struct Tile {
  static constexpr int blocks = blocks_, stages = stages_;
  static constexpr bool shares_channels = shares_channels_;
  static constexpr int group_channels = blocks * 64, group_pixels = pixels_, eights = pixels_ / 8;
  static constexpr int channels = shares_channels ? group_channels : 2 * group_channels;
  static constexpr int pixels = shares_channels ? 2 * pixels_ : pixels_;
  static constexpr int weight_bytes = channels * row_bytes, stage_bytes = weight_bytes + pixels * row_bytes;
  // Eight pixels of a warpgroup's sums, twice: while one is stored the next is staged. Lines are 4 banks longer than
  // the channels, so that the four pixels and eight channels that a warp's store meets are in different banks.
  static constexpr int line = group_channels + 4, staged = 8 * line;
  static constexpr int staging_at = stages * stage_bytes, barriers_at = staging_at + 2 * 2 * staged * 4;
  static_assert(channels % 16 == 0 && channels <= 256 && pixels <= 1024 && pixels % 8 == 0, "one copy each");
};

__device__ __forceinline__ int rank_in_pair() { return static_cast<int>(ptx::cluster_rank() % pair); }
/// Which part of the depth this block's pair has.
__device__ __forceinline__ int part_of_pair() { return static_cast<int>(ptx::cluster_rank() / pair); }

/// One tile, or a part of its sum. Number n stands for one unit of each block of a cluster.
struct Unit {
  int tile, split, first_pixel, first_channel, group, begin, steps;
};

template <typename Tile>
__device__ __forceinline__ Unit unit_of(const ConvTmaParams& p, int number) {
  constexpr int both = pair * Tile::pixels;
  Unit unit;
  const int rank = rank_in_pair(), tiles_of_both = number / p.conv.splits;
  unit.tile = tiles_of_both * pair + rank;
  unit.split = number - tiles_of_both * p.conv.splits;
  const int in_each_group = (p.conv.pixels + both - 1) / both * p.conv.column_tiles;
  unit.group = tiles_of_both / in_each_group;
  const int in_group = tiles_of_both - unit.group * in_each_group, row = in_group / p.conv.column_tiles;
  unit.first_pixel = row * both + rank * Tile::pixels;
  unit.first_channel = (in_group - row * p.conv.column_tiles) * Tile::channels;
  const long long steps = p.conv.steps;
  const int stretch = unit.split * p.parts + part_of_pair(), stretches = p.conv.splits * p.parts;
  unit.begin = static_cast<int>(steps * stretch / stretches);
  unit.steps = static_cast<int>(steps * (stretch + 1) / stretches) - unit.begin;
  return unit;
}

/// The ring of stages as one side walks it.
template <int stages>
struct Ring {
  std::uint32_t stage = 0, phase = 0;
  __device__ __forceinline__ void advance() {
    if (++stage == stages) {
      stage = 0;
      phase ^= 1;
    }
  }
};

__device__ __forceinline__ int first_unit(const ConvTmaParams& p) {
  return static_cast<int>(blockIdx.x) / (pair * p.parts);
}

/// A step of the depth: a tap and 64 of its channels.
struct Step {
  int tap, channel_step, tap_y, tap_x;

  __device__ __forceinline__ Step(const ConvTmaParams& p, int at)
      : tap(at / p.channel_steps),
        channel_step(at - tap * p.channel_steps),
        tap_y(tap / p.conv.kernel_width),
        tap_x(tap - tap_y * p.conv.kernel_width) {}
  __device__ __forceinline__ void advance(const ConvTmaParams& p) {
    if (++channel_step != p.channel_steps) return;
    channel_step = 0;
    ++tap;
    if (++tap_x != p.conv.kernel_width) return;
    tap_x = 0;
    ++tap_y;
  }
};

/// Expects a stage, and begins to fill its weights: this block's half of them, in both blocks.
template <typename Tile>
__device__ __forceinline__ void begin_stage(const ConvTmaParams& p, const Unit& unit, const Step& step,
                                            std::uint32_t stage, std::uint32_t barrier) {
  constexpr int half = Tile::channels / pair;
  const int first = rank_in_pair() * half;
  const auto both = static_cast<std::uint16_t>(((1 << pair) - 1) << part_of_pair() * pair);
  ptx::mbarrier_arrive_expect(barrier, Tile::stage_bytes);
  ptx::copy_tile_to_blocks(stage + static_cast<std::uint32_t>(first * row_bytes), &p.weights, barrier,
                           step.tap * p.conv.tap_channels + step.channel_step * step_depth,
                           unit.group * p.conv.group_out + unit.first_channel + first, both);
}

template <typename Tile>
__device__ __forceinline__ void produce(const ConvTmaParams& p, std::uint32_t base, std::uint32_t full,
                                        std::uint32_t empty) {
  const ConvParams& c = p.conv;
  // The first weights do not wait for the kernel before this one, which may still be writing the pixels.
  int begun = 0;
  if (first_unit(p) < p.units) {
    const Unit unit = unit_of<Tile>(p, first_unit(p));
    Step step(p, unit.begin);
    for (; begun < min(unit.steps, Tile::stages); ++begun, step.advance(p))
      begin_stage<Tile>(p, unit, step, base + begun * Tile::stage_bytes, full + begun * 8);
  }
  ptx::wait_for_previous_grid();

  Ring<Tile::stages> ring;
  for (int number = first_unit(p); number < p.units; number += p.clusters) {
    const Unit unit = unit_of<Tile>(p, number);
    const int image = c.image.quotient(unit.first_pixel), position = c.image.remainder(unit.first_pixel, image);
    const int out_y = c.row.quotient(position), out_x = c.row.remainder(position, out_y);
    const int x = out_x * c.stride_x - c.padding_x, y = out_y * c.stride_y - c.padding_y;
    Step step(p, unit.begin);
    for (int i = 0; i < unit.steps; ++i, step.advance(p), ring.advance()) {
      const std::uint32_t barrier = full + ring.stage * 8, stage = base + ring.stage * Tile::stage_bytes;
      if (begun > 0) {
        --begun;
      } else {
        ptx::mbarrier_wait(empty + ring.stage * 8, ring.phase ^ 1);
        begin_stage<Tile>(p, unit, step, stage, barrier);
      }
      ptx::copy_im2col(stage + Tile::weight_bytes, &p.pixels, barrier,
                       unit.group * c.group_in + step.channel_step * step_depth, x, y, image,
                       static_cast<std::uint16_t>(step.tap_x * c.dilation),
                       static_cast<std::uint16_t>(step.tap_y * c.dilation));
    }
  }
}

/// A warpgroup's sums: [64 channels][8 pixels][what a thread holds of them].
template <typename Tile>
using Sums = float[Tile::blocks * Tile::eights][4];

/// All products of one unit. `weights` and `pixels` are this warpgroup's places in the first stage.
template <typename Tile>
__device__ __forceinline__ void multiply(std::uint32_t weights, std::uint32_t pixels, int steps, std::uint32_t full,
                                         std::uint32_t empty, Ring<Tile::stages>& ring, Sums<Tile>& sums) {
  // One lane for each block of the pair tells it which stage this warp has left.
  const bool tells = threadIdx.x % 32 < pair;
  const std::uint32_t empty_there = ptx::shared_of_block(empty, part_of_pair() * pair + threadIdx.x % pair);
  std::uint32_t before = 0;
#pragma unroll 1
  for (int step = 0; step < steps; ++step) {
    ptx::mbarrier_wait(full + ring.stage * 8, ring.phase);
    const std::uint64_t left = ptx::matrix_descriptor(weights + ring.stage * Tile::stage_bytes);
    const std::uint64_t right = ptx::matrix_descriptor(pixels + ring.stage * Tile::stage_bytes);
    ptx::wgmma_fence();
#pragma unroll
    for (int product = 0; product < step_depth / 16; ++product) {
#pragma unroll
      for (int b = 0; b < Tile::blocks; ++b)
        ptx::wgmma_f16(reinterpret_cast<float(&)[Tile::eights][4]>(sums[b * Tile::eights]),
                       left + static_cast<std::uint64_t>(product * 2 + b * 64 * row_bytes / 16),
                       right + static_cast<std::uint64_t>(product * 2), step != 0 || product != 0);
    }
    ptx::wgmma_commit();
    // The products before these have ended: their stage may be filled again.
    ptx::wgmma_wait<1>();
    if (tells && step != 0) ptx::mbarrier_arrive_in_cluster(empty_there + before * 8);
    before = ring.stage;
    ring.advance();
  }
  ptx::wgmma_wait<0>();
  if (tells) ptx::mbarrier_arrive_in_cluster(empty_there + before * 8);
}

/// A warpgroup's sums to memory, eight pixels at a time: those that are this block's to store.
template <typename Tile>
__device__ __forceinline__ void store_tile(const ConvParams& p, const Sums<Tile>& sums, const ClusterSum<Tile>& parts,
                                           float* staging, int first_pixel, int first_channel, int group) {
  const unsigned index = ptx::thread_index(), thread = index % 128, lane = thread % 32;
  SumStore<Tile::group_channels, 128, __half> store;
  store.start(p, thread, first_channel, group);
  const auto place = [](int channel) { return staged_place<Tile::group_channels>(channel); };
  float* const mine = staging + lane % 4 * 2 * Tile::line + place(static_cast<int>(thread / 32 * 16 + lane / 4));
  const int barrier = 2 + static_cast<int>(index / 128);
#pragma unroll 1
  for (int j = parts.first(); j < parts.end(); ++j) {
    float* const to = mine + j % 2 * Tile::staged;
    // Registers have no index: all eights are here, one of them runs, and the rest of the epilogue is here once.
#pragma unroll
    for (int k = 0; k < Tile::eights; ++k) {
      if (k != j) continue;
#pragma unroll
      for (int b = 0; b < Tile::blocks; ++b) {
        float sum[4];
        parts.total(sums[b * Tile::eights + k], k, b, sum);
        to[place(b * 64)] = sum[0];
        to[place(b * 64) + Tile::line] = sum[1];
        to[place(b * 64 + 8)] = sum[2];
        to[place(b * 64 + 8) + Tile::line] = sum[3];
      }
    }
    ptx::named_barrier(barrier, 128);
    store.template store<8, Tile::line>(p, staging + j % 2 * Tile::staged, first_pixel + j * 8);
  }
  if (parts.count() % 2 != 0) ptx::named_barrier(barrier, 128);  // the next tile begins where this one ends
}

template <typename Tile>
__device__ __forceinline__ void consume(const ConvTmaParams& p, unsigned char* shared, std::uint32_t base,
                                        std::uint32_t full, std::uint32_t empty, unsigned* last) {
  const auto channel_of = [](int half) { return Tile::shares_channels ? 0 : half * Tile::group_channels; };
  const auto pixel_of = [](int half) { return Tile::shares_channels ? half * Tile::group_pixels : 0; };
  const int half = static_cast<int>(threadIdx.x / 128);
  const std::uint32_t weights = base + static_cast<std::uint32_t>(channel_of(half) * row_bytes);
  const std::uint32_t pixels = base + static_cast<std::uint32_t>(Tile::weight_bytes + pixel_of(half) * row_bytes);
  const auto sync = [] { ptx::named_barrier(1, consumers); };
  Ring<Tile::stages> ring;
  Sums<Tile> sums;
#pragma unroll 1
  for (int number = first_unit(p); number < p.units; number += p.clusters) {
    const Unit unit = unit_of<Tile>(p, number);
    multiply<Tile>(weights, pixels, unit.steps, full, empty, ring, sums);
    const ClusterSum<Tile> parts(p.parts, part_of_pair(), rank_in_pair(), shared);
    parts.exchange(sums);
    bool whole = true;
    if (p.conv.splits > 1) {
      whole = sum_of_splits<consumers>(p.conv, unit.tile, unit.split, sums, last, sync);
      sync();
    }
    if (whole) {
      const int side = static_cast<int>(ptx::thread_index() / 128);  // found anew: the sums leave few registers
      float* const staging = reinterpret_cast<float*>(shared + Tile::staging_at) + side * 2 * Tile::staged;
      store_tile<Tile>(p.conv, sums, parts, staging, unit.first_pixel + pixel_of(side),
                       unit.first_channel + channel_of(side), unit.group);
    }
  }
}

template <typename Tile>
__device__ __forceinline__ void conv(const ConvTmaParams& p) {
  extern __shared__ __align__(1024) unsigned char shared[];
  ptx::let_next_grid_start();
  const std::uint32_t base = ptx::shared_address(shared);
  const std::uint32_t full = base + Tile::barriers_at, empty = full + Tile::stages * 8;
  unsigned* const last = reinterpret_cast<unsigned*>(shared + Tile::barriers_at + Tile::stages * 16);
  if (threadIdx.x == consumers) {
    ptx::prefetch_tensor_map(&p.pixels);
    ptx::prefetch_tensor_map(&p.weights);
#pragma unroll
    for (int stage = 0; stage < Tile::stages; ++stage) {
      ptx::mbarrier_init(full + stage * 8, 1);
      ptx::mbarrier_init(empty + stage * 8, pair * consumers / 32);
    }
    ptx::fence_mbarrier_init();
  }
  ptx::cluster_arrive();
  ptx::cluster_wait();
  // 2 x 128 x 232 and 128 x 40 registers are what the block began with.
  if (threadIdx.x >= consumers) {
    ptx::give_registers<40>();
    if (threadIdx.x == consumers) produce<Tile>(p, base, full, empty);
    if (threadIdx.x == consumers + 32) prefetch_next_weights(p.conv, blockIdx.x, gridDim.x);
    __syncwarp();
    ClusterSum<Tile>::attend_exchange(p.parts);
  } else {
    ptx::take_registers<232>();
    ptx::wait_for_previous_grid();
    consume<Tile>(p, shared, base, full, empty, last);
  }
  // The other block may still write here: its weights, its arrivals.
  __syncwarp();
  ptx::cluster_arrive();
  ptx::cluster_wait();
}

}  // namespace

// The tiles, each on purpose (pixels x channels in the name; conv_kernels.cpp repeats the figures for the host):
#define MASKRT_CONV(name, ...)                                                                             \
  extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ ConvTmaParams p) { \
    conv<Tile<__VA_ARGS__>>(p);                                                                            \
  }
MASKRT_CONV(conv_sm90_128x256, 2, 128, false, 4)
MASKRT_CONV(conv_sm90_136x256, 2, 136, false, 4)  // 8640 pixels by 512 channels in one wave of 132
MASKRT_CONV(conv_sm90_96x256, 2, 96, false, 4)
MASKRT_CONV(conv_sm90_72x256, 2, 72, false, 5)  // 8640 pixels by 256 channels in one wave
MASKRT_CONV(conv_sm90_128x128, 1, 128, false, 6)
MASKRT_CONV(conv_sm90_72x128, 1, 72, false, 8)  // 2160 pixels
MASKRT_CONV(conv_sm90_256x64, 1, 128, true, 5)  // 64 channels
MASKRT_CONV(conv_sm90_272x64, 1, 136, true, 5)  // 34560 pixels (res2) in one wave of 132
MASKRT_CONV(conv_sm90_272x128, 2, 136, true, 4)
#undef MASKRT_CONV

}  // namespace maskrt::kernels
