// Convolution in fp16 on Hopper (sm_90a): out = activation(conv(in) * scale + bias + coordinate term + residual) as an
// implicit GEMM (conv_params.h). A persistent, warp-specialised kernel: operands by TMA (im2col loads of the pixels,
// tile loads of the weights), products by wgmma from shared memory with fp32 accumulators.
//
// Terms: a tile is `pixels` output pixels by `channels` output channels of one group; a work item is a pair of tiles of
// neighbouring pixels, or one split of their depth; a stage is the shared memory of one step, 64 elements of depth of
// both operands with the 128-byte swizzle.
//
// Persistent: each cluster loops over work items with stride `clusters`. Roles (warp specialisation) in a block of
// three warpgroups: one thread of the third is the producer, which fills a ring of 4 to 8 stages and runs ahead into
// the next work item while the consumers are in their epilogue; the first two warpgroups are consumers. The producer's
// warpgroup releases registers to the consumers (setmaxnreg). `full` and `empty` mbarriers of each stage synchronise
// the two sides.
// Products have channels as rows (M = 64 for each wgmma) and pixels as columns (N), because N may be any multiple of 8:
// tile widths are chosen so that the tiles of the model's layers fill 132 multiprocessors in whole waves.
//
// The two blocks of a pair have neighbouring pixels and the same channels: each loads half of the weights and
// multicasts it to both. A stage is empty once the consumers of both blocks have read it. Where tiles are few, a
// cluster has two or four pairs, each with one split of the depth, and adds their accumulators through distributed
// shared memory (cluster_sum.cuh). Larger split-K factors go through global memory (split_sum.cuh).
//
// Kernels called conv_norm end in a layer norm of each pixel, whose channels are those of one tile.
//
// Example: 8640 pixels (80 x 108) by 2 groups of 256 channels with tiles of 136 x 256. A pair covers 272 pixels, so
// there are ceil(8640 / 272) = 32 pairs x 2 groups = 64 work items on 64 clusters: 128 blocks, one wave of 132. The
// last pair has 208 pixels, 136 in the first block and 72 in the second. im2col loads fill pixels beyond the map with
// zeros; the epilogue does not store them.
//
// Bound by tensor cores, or by L2 where tiles are small: for 256 channels by 128 pixels a multiprocessor loads 32 KiB a
// step (weights shared by the pair) for 1024 cycles of wgmma.
// Launch: 384 threads, 1 block a multiprocessor, clusters of 2 * cluster_splits blocks, 192 to 226 KiB of dynamic
// shared memory, programmatic dependent launch.
#include <cuda_fp16.h>

#include <type_traits>

#include "cluster_sum.cuh"
#include "epilogue.cuh"
#include "kernels/conv/cuda/conv_tiles.h"
#include "kernels/conv/cuda/conv_tma_params.h"
#include "kernels/ptx/cluster.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/mbarrier.cuh"
#include "kernels/ptx/named_barrier.cuh"
#include "kernels/ptx/setmaxnreg.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "kernels/ptx/special_registers.cuh"
#include "kernels/ptx/tma.cuh"
#include "kernels/ptx/wgmma.cuh"
#include "next_weights.cuh"
#include "pipeline_state.cuh"
#include "pixel_store.cuh"
#include "split_sum.cuh"

namespace maskrt::kernels {
namespace {

constexpr int consumers = WgmmaTile::kConsumers, threads = WgmmaTile::kThreads, kStepDepth = WgmmaTile::kStep;
constexpr int row_bytes = WgmmaTile::kRowBytes;

/// A block's tile: the figures of a WgmmaTile as constants of a type.
template <WgmmaTile tile>
struct Tile {
  static constexpr int kBlocks = tile.blocks, kStages = tile.stages;
  static constexpr bool kSharesChannels = tile.shares_channels;
  static constexpr int kGroupChannels = tile.group_channels(), kGroupPixels = tile.group_pixels;
  static constexpr int kEights = kGroupPixels / 8;
  static constexpr int kChannels = tile.columns(), kPixels = tile.rows();
  static constexpr int kWeightBytes = kChannels * row_bytes, kStageBytes = tile.stage_bytes();
  static constexpr int kLine = tile.staged_line(), kStaged = tile.staged();
  static constexpr int kStagingAt = tile.staging_at(), kBarriersAt = tile.barriers_at();
  static constexpr bool kNorms = tile.norms;
  static constexpr int kStatisticsAt = tile.statistics_at();
  static_assert(!kNorms || (!kSharesChannels && kGroupChannels == 128), "16 lanes have a warpgroup's half of a pixel");
  static_assert(kChannels % 16 == 0 && kChannels <= 256 && kPixels <= 1024 && kPixels % 8 == 0, "one TMA load each");
};

__device__ __forceinline__ int rank_in_pair() { return static_cast<int>(ptx::cluster_rank() % pair); }
/// Which split of the depth this block's pair has within the cluster.
__device__ __forceinline__ int split_of_pair() { return static_cast<int>(ptx::cluster_rank() / pair); }

/// This block's share of a work item: a tile, or one split of its depth: steps begin .. begin + steps - 1.
struct WorkItem {
  int tile, split, first_pixel, first_channel, group, begin, steps;
};

template <typename Tile>
__device__ __forceinline__ WorkItem work_item_of(const ConvTmaParams& p, int number) {
  WorkItem item;
  const int rank = rank_in_pair(), tile_pair = p.splits.quotient(number);
  item.tile = tile_pair * pair + rank;
  item.split = p.splits.remainder(number, tile_pair);
  item.group = p.group_pairs.quotient(tile_pair);
  const int in_group = p.group_pairs.remainder(tile_pair, item.group), row = p.column_tiles.quotient(in_group);
  item.first_pixel = (row * pair + rank) * Tile::kPixels;
  item.first_channel = p.column_tiles.remainder(in_group, row) * Tile::kChannels;
  item.begin = 0;
  item.steps = p.conv.steps;
  if (p.slices.divisor != 1) {
    const int slice = item.split * p.cluster_splits + split_of_pair();
    item.begin = p.slices.quotient(p.conv.steps * slice);
    item.steps = p.slices.quotient(p.conv.steps * (slice + 1)) - item.begin;
  }
  return item;
}

__device__ __forceinline__ int first_work_item(const ConvTmaParams& p) {
  return static_cast<int>(blockIdx.x / pair) >> (p.cluster_splits >> 1);  // cluster_splits is 1, 2 or 4
}

/// Where tap (0, 0) of a tile's first pixel reads.
struct Window {
  int x, y, image;

  __device__ __forceinline__ Window(const ConvTmaParams& p, const WorkItem& item) {
    const ConvParams& c = p.conv;
    image = c.image.quotient(item.first_pixel);
    const int position = c.image.remainder(item.first_pixel, image), out_y = c.row.quotient(position);
    x = c.row.remainder(position, out_y) * c.stride_x - c.padding_x;
    y = out_y * c.stride_y - c.padding_y;
  }
};

/// A step of the depth: a tap of the kernel and 64 of its channels.
struct Step {
  int tap, channel_step, tap_y, tap_x;

  __device__ __forceinline__ Step(const ConvTmaParams& p, int at) : tap(0), channel_step(0), tap_y(0), tap_x(0) {
    if (at == 0) return;
    tap = at / p.channel_steps;
    channel_step = at - tap * p.channel_steps;
    tap_y = tap / p.conv.kernel_width;
    tap_x = tap - tap_y * p.conv.kernel_width;
  }
  __device__ __forceinline__ void advance(const ConvTmaParams& p) {
    if (++channel_step != p.channel_steps) return;
    channel_step = 0;
    ++tap;
    if (++tap_x != p.conv.kernel_width) return;
    tap_x = 0;
    ++tap_y;
  }
};

/// Producer: arms the stage's `full` barrier for the bytes of both operands, and issues the multicast load of this
/// block's half of the weights into both blocks.
template <typename Tile>
__device__ __forceinline__ void begin_stage(const ConvTmaParams& p, const WorkItem& item, const Step& step,
                                            std::uint32_t stage, std::uint32_t barrier) {
  constexpr int half = Tile::kChannels / pair;
  const int first = rank_in_pair() * half;
  const auto both = static_cast<std::uint16_t>(((1 << pair) - 1) << split_of_pair() * pair);
  ptx::mbarrier_arrive_expect(barrier, Tile::kStageBytes);
  ptx::tma_load_2d_multicast(stage + static_cast<std::uint32_t>(first * row_bytes), &p.weights, barrier,
                             step.tap * p.conv.tap_channels + step.channel_step * kStepDepth,
                             item.group * p.conv.group_out + item.first_channel + first, both);
}

/// The producer thread: fills stages for all work items of this block.
template <typename Tile>
__device__ __forceinline__ void produce(const ConvTmaParams& p, std::uint32_t base, std::uint32_t full,
                                        std::uint32_t empty) {
  const ConvParams& c = p.conv;
  int number = first_work_item(p);
  if (number >= p.work_items) return;
  // Prologue before griddepcontrol.wait: where the first pixels lie, and the first stages' weights, which are
  // constants, whereas the preceding kernel may still be writing the pixels. `begun` counts stages whose weights are
  // already being loaded.
  WorkItem item = work_item_of<Tile>(p, number);
  Window window(p, item);
  Step step(p, item.begin);
  int begun = 0;
  for (Step ahead = step; begun < min(item.steps, Tile::kStages); ++begun, ahead.advance(p))
    begin_stage<Tile>(p, item, ahead, base + begun * Tile::kStageBytes, full + begun * 8);
  ptx::wait_for_previous_grid();

  PipelineState<Tile::kStages> state;
  while (true) {
    for (int i = 0; i < item.steps; ++i, step.advance(p), state.advance()) {
      const std::uint32_t barrier = full + state.stage * 8, stage = base + state.stage * Tile::kStageBytes;
      if (begun > 0) {
        --begun;
      } else {
        ptx::mbarrier_wait(empty + state.stage * 8, state.phase ^ 1);
        begin_stage<Tile>(p, item, step, stage, barrier);
      }
      ptx::tma_load_im2col(stage + Tile::kWeightBytes, &p.pixels, barrier,
                           item.group * c.group_in + step.channel_step * kStepDepth, window.x, window.y, window.image,
                           static_cast<std::uint16_t>(step.tap_x * c.dilation),
                           static_cast<std::uint16_t>(step.tap_y * c.dilation));
    }
    number += p.clusters;
    if (number >= p.work_items) break;
    item = work_item_of<Tile>(p, number);
    window = Window(p, item);
    step = Step(p, item.begin);
  }
  // The block must not end before the other one's last arrivals at its barriers.
  for (int i = 0; i < Tile::kStages; ++i, state.advance()) ptx::mbarrier_wait(empty + state.stage * 8, state.phase ^ 1);
}

/// A warpgroup's accumulators: [block of 64 channels][8 pixels][values of a thread].
template <typename Tile>
using Sums = float[Tile::kBlocks * Tile::kEights][4];

/// Consumer main loop over the steps of one work item. `weights` and `pixels` are the shared-memory addresses of this
/// warpgroup's operands in stage 0.
template <typename Tile>
__device__ __forceinline__ void multiply(std::uint32_t weights, std::uint32_t pixels, int steps, std::uint32_t full,
                                         std::uint32_t empty, PipelineState<Tile::kStages>& state, Sums<Tile>& sums) {
  // One lane for each block of the pair arrives at that block's `empty` barriers.
  const bool signals = threadIdx.x % 32 < pair;
  const std::uint32_t empty_of_pair = ptx::shared_of_block(empty, split_of_pair() * pair + threadIdx.x % pair);
  std::uint32_t previous = 0;
  // Zeroed here rather than by the first wgmma, whose scale-d would then vary (ptx/wgmma.cuh).
#pragma unroll
  for (float(&sum)[4] : sums) sum[0] = sum[1] = sum[2] = sum[3] = 0;
#pragma unroll 1
  for (int step = 0; step < steps; ++step) {
    ptx::mbarrier_wait(full + state.stage * 8, state.phase);
    const std::uint64_t left = ptx::matrix_descriptor(weights + state.stage * Tile::kStageBytes);
    const std::uint64_t right = ptx::matrix_descriptor(pixels + state.stage * Tile::kStageBytes);
    ptx::wgmma_fence();
#pragma unroll
    for (int product = 0; product < kStepDepth / 16; ++product) {
#pragma unroll
      for (int b = 0; b < Tile::kBlocks; ++b)
        ptx::wgmma_f16(reinterpret_cast<float(&)[Tile::kEights][4]>(sums[b * Tile::kEights]),
                       left + static_cast<std::uint64_t>(product * 2 + b * 64 * row_bytes / 16),
                       right + static_cast<std::uint64_t>(product * 2));
    }
    ptx::wgmma_commit();
    // The previous step's wgmma have completed: release its stage.
    ptx::wgmma_wait<1>();
    if (signals && step != 0) ptx::mbarrier_arrive_in_cluster(empty_of_pair + previous * 8);
    previous = state.stage;
    state.advance();
  }
  ptx::wgmma_wait<0>();
  if (signals) ptx::mbarrier_arrive_in_cluster(empty_of_pair + previous * 8);
}

/// Layer norm of 8 pixels, and their store. A warpgroup has half of a pixel's channels, 16 lanes of it a pixel: each
/// finds mean and squares of its half, and with the other's, which are exchanged through `statistics`, [warpgroup][8
/// pixels], those of the whole (Chan et al., 1979): no digits cancel, whatever the mean.
template <typename Tile, typename Store>
__device__ __forceinline__ void store_normed(const ConvParams& p, const Store& store, const float* staging,
                                             int first_pixel, float2* statistics) {
  constexpr float kHalf = Tile::kGroupChannels;
  const auto over_half = [](float value) {
#pragma unroll
    for (int step = 8; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
    return value;
  };
  const int row = store.first_row, pixel = first_pixel + row;
  const bool exists = pixel < p.pixels;
  cuda::Octet x{};
  if (exists) x = store.sum_of(p, staging + row * Tile::kLine, pixel);
  float sum = 0, squares = 0;
#pragma unroll
  for (const float v : x.v) sum += v;
  const float mean = over_half(sum) / kHalf;
#pragma unroll
  for (const float v : x.v) squares = fmaf(v - mean, v - mean, squares);
  squares = over_half(squares);
  if (ptx::thread_index() % 16 == 0) statistics[ptx::thread_index() / 128 * 8 + row] = make_float2(mean, squares);
  ptx::named_barrier(1, consumers);
  const float2 low = statistics[row], high = statistics[8 + row];
  const float apart = low.x - high.x, centre = 0.5f * (low.x + high.x);
  const float variance = (low.y + high.y + apart * apart * (kHalf / 2)) / (2 * kHalf);
  const float scale = rsqrtf(variance + p.norm_epsilon);
  const int half = static_cast<int>(ptx::thread_index() / 128) * Tile::kGroupChannels;
  const cuda::Octet weight =
      load_per_channel<Tile::kGroupChannels, __half>(p.norm_weight + half, Tile::kGroupChannels, 0.0f);
  const cuda::Octet bias =
      load_per_channel<Tile::kGroupChannels, __half>(p.norm_bias + half, Tile::kGroupChannels, 0.0f);
#pragma unroll
  for (int i = 0; i < 8; ++i) x.v[i] = fmaf((x.v[i] - centre) * scale, weight.v[i], bias.v[i]);
  if (exists) store.store_octet_of(p, x, pixel);
}

/// Consumer epilogue of what PixelStore does not take, in fp32 through shared memory: stores a warpgroup's
/// accumulators, 8 pixels at a time, for the pixels that this block owns. `turn` counts these eights, of all tiles;
/// `statistics`: of two turns.
template <typename Tile>
__device__ __forceinline__ void store_tile(const ConvParams& p, const Sums<Tile>& sums,
                                           const typename PixelStore<Tile>::Affine& affine,
                                           const ClusterSum<Tile>& cluster_sum, float* staging, int first_pixel,
                                           int first_channel, int group, float2* statistics, unsigned& turn) {
  const unsigned index = ptx::thread_index(), thread = index % 128, lane = thread % 32;
  Epilogue<Tile::kGroupChannels, 128, __half, false> store;
  store.start(p, thread, first_channel, group);
  const auto place = [](int channel) { return staging_index<Tile::kGroupChannels>(channel); };
  float* const mine = staging + lane % 4 * 2 * Tile::kLine + place(static_cast<int>(thread / 32 * 16 + lane / 4));
  const int barrier = 2 + static_cast<int>(index / 128);
#pragma unroll 1
  for (int j = cluster_sum.first(); j < cluster_sum.end(); ++j) {
    float* const to = mine + j % 2 * Tile::kStaged;
    // Registers cannot be indexed: the staging code is unrolled for every k and one of them runs, so that the rest of
    // the epilogue exists once.
#pragma unroll
    for (int k = 0; k < Tile::kEights; ++k) {
      if (k != j) continue;
#pragma unroll
      for (int b = 0; b < Tile::kBlocks; ++b) {
        const float(&sum)[4] = sums[b * Tile::kEights + k];
        to[place(b * 64)] = affine.of(sum[0], b * 2);
        to[place(b * 64) + Tile::kLine] = affine.of(sum[1], b * 2);
        to[place(b * 64 + 8)] = affine.of(sum[2], b * 2 + 1);
        to[place(b * 64 + 8) + Tile::kLine] = affine.of(sum[3], b * 2 + 1);
      }
    }
    ptx::named_barrier(barrier, 128);
    if constexpr (Tile::kNorms)
      store_normed<Tile>(p, store, staging + j % 2 * Tile::kStaged, first_pixel + j * 8, statistics + turn++ % 2 * 16);
    else
      store.template store<8, Tile::kLine>(p, staging + j % 2 * Tile::kStaged, first_pixel + j * 8);
  }
  if (cluster_sum.count() % 2 != 0) ptx::named_barrier(barrier, 128);  // the next tile starts with the buffer used last
}

/// Sums of channels beyond the group's last become zero, as the padding that is stored there: their weights were those
/// of the next group.
template <typename Tile>
__device__ __forceinline__ void clear_beyond(Sums<Tile>& sums, int channels_left) {
  const int thread = static_cast<int>(ptx::thread_index() % 128), mine = thread / 32 * 16 + thread % 32 / 4;
#pragma unroll
  for (int b = 0; b < Tile::kBlocks; ++b) {
    const bool low = mine + b * 64 < channels_left, high = mine + b * 64 + 8 < channels_left;
#pragma unroll
    for (int k = 0; k < Tile::kEights; ++k) {
      float(&sum)[4] = sums[b * Tile::kEights + k];
#pragma unroll
      for (int i = 0; i < 4; ++i) sum[i] = (i < 2 ? low : high) ? sum[i] : 0.0f;
    }
  }
}

/// Calls f with what a PixelStore adds and with its activation, as constants of types.
template <typename F>
__device__ __forceinline__ void with_options(const ConvParams& p, F&& f) {
  using std::integral_constant;
  const auto activated = [&](auto residual) {
    if (p.activation == Activation::relu) return f(residual, integral_constant<Activation, Activation::relu>{});
    if constexpr (residual == Residual::none)
      if (p.activation == Activation::leaky_relu)
        return f(residual, integral_constant<Activation, Activation::leaky_relu>{});
    f(residual, integral_constant<Activation, Activation::none>{});
  };
  if (p.residual == nullptr) return activated(integral_constant<Residual, Residual::none>{});
  if (p.residual_shift == 0) return activated(integral_constant<Residual, Residual::same>{});
  activated(integral_constant<Residual, Residual::upsampled>{});
}

/// A consumer warpgroup: main loop, split-K reduction and epilogue for all work items of this block.
template <typename Tile>
__device__ __forceinline__ void consume(const ConvTmaParams& p, std::uint32_t base, std::uint32_t full,
                                        std::uint32_t empty) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const ConvParams& c = p.conv;
  // Asked each time: an answer that is kept occupies a register.
  const auto plain = [&] {
    int flag = c.plain;
    asm volatile("" : "+r"(flag));
    return !Tile::kNorms && flag != 0;
  };
  // Made before the main loop and again after it: accumulators leave few registers.
  const auto side = [] { return static_cast<int>(ptx::thread_index() / 128); };
  const auto first_channel = [&](const WorkItem& item) {
    return item.first_channel + (Tile::kSharesChannels ? 0 : side() * Tile::kGroupChannels);
  };
  const auto first_pixel = [&](const WorkItem& item) {
    return item.first_pixel + (Tile::kSharesChannels ? side() * Tile::kGroupPixels : 0);
  };
  const auto cluster_sum = [&] { return ClusterSum<Tile>(p.cluster_splits, split_of_pair(), rank_in_pair(), shared); };
  const auto store_of = [&](const WorkItem& item) {
    const ClusterSum<Tile> owned = cluster_sum();
    return PixelStore<Tile>(c, first_pixel(item), first_channel(item), item.group, owned.first(), owned.end(),
                            base + Tile::kStagingAt + side() * WgmmaTile::kRing * WgmmaTile::kSlotBytes, 2 + side());
  };
  typename PixelStore<Tile>::Affine affine;
  const auto begin = [&](const WorkItem& item) {
    affine.load(c, first_channel(item), item.group);
    if (plain()) with_options(c, [&](auto residual, auto) { store_of(item).template begin<residual>(c); });
  };
  const auto sync = [] { ptx::named_barrier(1, consumers); };

  const int half = Tile::kSharesChannels ? 0 : side() * Tile::kGroupChannels;
  const std::uint32_t weights = base + static_cast<std::uint32_t>(half * row_bytes);
  const std::uint32_t pixels =
      base + static_cast<std::uint32_t>(Tile::kWeightBytes +
                                        (Tile::kSharesChannels ? side() * Tile::kGroupPixels * row_bytes : 0));
  PipelineState<Tile::kStages> state;
  Sums<Tile> sums;
  unsigned turn = 0;
#pragma unroll 1
  for (int number = first_work_item(p); number < p.work_items; number += p.clusters) {
    const WorkItem item = work_item_of<Tile>(p, number);
    if (c.splits == 1) begin(item);
    multiply<Tile>(weights, pixels, item.steps, full, empty, state, sums);
    if (const int left = c.group_out - first_channel(item); plain() && left < Tile::kGroupChannels)
      clear_beyond<Tile>(sums, left);
    cluster_sum().exchange(sums);
    cluster_sum().add_received(sums);
    bool whole = true;
    if (c.splits > 1) {
      unsigned* const last = reinterpret_cast<unsigned*>(shared + Tile::kBarriersAt + Tile::kStages * 16);
      whole = reduce_splits<consumers>(c, item.tile, item.split, sums, last, sync);
      sync();
    }
    if (whole && c.splits > 1) begin(item);  // only the block that has the whole sums stores them
    if (whole && plain()) {
      with_options(c, [&](auto residual, auto activation) {
        store_of(item).template store<residual, activation>(c, sums, affine);
      });
    } else if (whole) {
      float* const staging = reinterpret_cast<float*>(shared + Tile::kStagingAt) + side() * 2 * Tile::kStaged;
      store_tile<Tile>(c, sums, affine, cluster_sum(), staging, first_pixel(item), first_channel(item), item.group,
                       reinterpret_cast<float2*>(shared + Tile::kStatisticsAt), turn);
    }
  }
}

template <typename Tile>
__device__ __forceinline__ void conv(const ConvTmaParams& p) {
  extern __shared__ __align__(1024) unsigned char shared[];
  ptx::let_next_grid_start();
  const std::uint32_t base = ptx::shared_address(shared);
  const std::uint32_t full = base + Tile::kBarriersAt, empty = full + Tile::kStages * 8;
  if (threadIdx.x == consumers) {
    ptx::prefetch_tensor_map(&p.pixels);
    ptx::prefetch_tensor_map(&p.weights);
#pragma unroll
    for (int stage = 0; stage < Tile::kStages; ++stage) {
      ptx::mbarrier_init(full + stage * 8, 1);
      ptx::mbarrier_init(empty + stage * 8, pair * consumers / 32);
    }
    ptx::fence_mbarrier_init();
  }
  ptx::cluster_arrive_relaxed();
  ptx::cluster_wait();
  // 2 x 128 x 232 + 128 x 40 registers = 384 x 168, what the block was launched with.
  if (threadIdx.x >= consumers) {
    ptx::setmaxnreg_dec<40>();
    if (threadIdx.x == consumers) produce<Tile>(p, base, full, empty);
    if (threadIdx.x == consumers + 32) prefetch_next_weights(p.conv, blockIdx.x, gridDim.x);
    __syncwarp();
    ClusterSum<Tile>::attend_exchange(p.cluster_splits);
  } else {
    ptx::setmaxnreg_inc<232>();
    ptx::wait_for_previous_grid();
    consume<Tile>(p, base, full, empty);
  }
}

}  // namespace

#define MASKRT_CONV(name, ...)                                                \
  extern "C" __global__ void __launch_bounds__(threads, WgmmaTile::kResident) \
      name(const __grid_constant__ ConvTmaParams p) {                         \
    conv<Tile<WgmmaTile{__VA_ARGS__}>>(p);                                    \
  }
MASKRT_CONV_SM90_TILES(MASKRT_CONV)
#undef MASKRT_CONV

}  // namespace maskrt::kernels
