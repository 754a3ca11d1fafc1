// Deformable convolution in fp16 on Hopper (sm_90a): out = activation(conv(samples of in) * scale + bias) as an
// implicit GEMM (deform_params.h). Warp-specialised: producer warps sample the pixels into shared memory, TMA loads the
// weights, consumer warps multiply by wgmma from shared memory with fp32 accumulators.
//
// A block computes a tile of `pixels` pixels by 256 channels of one group, or one split of its depth. Channels are the
// rows of the products (M = 64 for each wgmma) and pixels their columns (N), as in conv_wgmma_sm90.cu. A stage is the
// shared memory of one step, 64 elements of depth of both operands with the 128-byte swizzle, which is that of
// swizzled<8>(). Producers find the corners of their pixels (corner_table.cuh), then fill the ring of stages: each
// thread has the corners of its next chunk in flight while it blends and stores one. `full` mbarriers count the
// producer warps and the bytes of the weights, `empty` ones the consumer warps. Stores become visible to wgmma, which
// reads by the async proxy, by a proxy fence before the arrival.
// Split-K: the splits of a tile are a cluster and add their sums through distributed shared memory (cluster_rows.cuh)
// where all clusters are resident at a time; otherwise through global memory (split_sum.cuh).
//
// Example: 2052 pixels (38 x 54) by 256 channels of 256, 3 x 3, in tiles of 72 x 256 with 4 splits: 29 clusters of 4,
// 116 blocks on 132 multiprocessors; the last has 36 pixels. A split is 9 steps, all taps of one block of 64 channels.
// Bound by shared memory and the L1 cache, which is the same memory: of a step of 72 pixels, wgmma reads 68 KiB of
// operands, 41 KiB of them are stored and 36 KiB of corners loaded, 1160 cycles at 128 bytes each, for 576 cycles of
// wgmma. Producer warps execute 95 instructions for each sample of 32 chunks, 250 to 375 a step each (SASS of sm_90a).
// Launch: grid [row tiles x column tiles, groups, splits], 384 or 512 threads, 1 block a multiprocessor, clusters of
// [1, 1, splits] where in_cluster, 144 to 184 KiB of dynamic shared memory, programmatic dependent launch.
#include <cuda_fp16.h>

#include "kernels/conv/cuda/device/cluster_rows.cuh"
#include "kernels/conv/cuda/device/next_weights.cuh"
#include "kernels/conv/cuda/device/pipeline_state.cuh"
#include "kernels/conv/cuda/device/split_sum.cuh"
#include "kernels/deform/cuda/deform_tma_params.h"
#include "kernels/ptx/griddepcontrol.cuh"
#include "kernels/ptx/mbarrier.cuh"
#include "kernels/ptx/named_barrier.cuh"
#include "kernels/ptx/proxy_fence.cuh"
#include "kernels/ptx/setmaxnreg.cuh"
#include "kernels/ptx/tma.cuh"
#include "kernels/ptx/wgmma.cuh"
#include "sampler.cuh"

namespace maskrt::kernels {
namespace {

constexpr int kConsumers = DeformWgmmaTile::kConsumers, kStep = DeformWgmmaTile::kStep;
constexpr int kRowBytes = DeformWgmmaTile::kRowBytes;
constexpr int kBarrierOfConsumers = 1, kBarrierOfProducers = 2;

/// A block's tile: the figures of a DeformWgmmaTile as constants of a type.
template <DeformWgmmaTile tile>
struct Tile {
  static constexpr int kPixels = tile.pixels, kEights = kPixels / 8, kColumns = DeformWgmmaTile::kColumns;
  static constexpr int kBlocks = kColumns / 128;  // of 64 channels, of a warpgroup
  static constexpr int kProducers = tile.producers, kThreads = tile.threads(), kStages = tile.stages;
  static constexpr int kWeightsBytes = tile.weights_bytes(), kStageBytes = tile.stage_bytes();
  static constexpr int kTableAt = tile.table_at(), kBarriersAt = tile.barriers_at(), kLine = tile.staged_line();
  static constexpr int kConsumerRegisters = tile.consumer_registers, kProducerRegisters = tile.producer_registers;
  static constexpr int kRegisters = tile.registers();
  static_assert(2 * 128 * kConsumerRegisters + kProducers * kProducerRegisters <= kThreads * kRegisters);
  static_assert(kPixels * kLine * 4 <= kTableAt, "the epilogue's staging buffer reuses the stages");
  static_assert(kStageBytes % 1024 == 0 && kPixels % 8 == 0);
};

/// What the block computes: a tile, or one split of its depth.
struct Work {
  int first_pixel, first_channel, group, split, begin, steps;

  template <typename Tile>
  __device__ __forceinline__ static Work of(const ConvParams& p) {
    Work work;
    const int column_tile = static_cast<int>(blockIdx.x) % p.column_tiles;
    work.first_pixel = static_cast<int>(blockIdx.x) / p.column_tiles * Tile::kPixels;
    work.first_channel = column_tile * Tile::kColumns;
    work.group = static_cast<int>(blockIdx.y);
    work.split = static_cast<int>(blockIdx.z);
    work.begin = static_cast<int>(static_cast<long long>(p.steps) * work.split / p.splits);
    work.steps = static_cast<int>(static_cast<long long>(p.steps) * (work.split + 1) / p.splits) - work.begin;
    return work;
  }
};

/// Starts the load of a step's weights into its stage.
template <typename Tile>
__device__ __forceinline__ void load_weights(const DeformTmaParams& p, const Work& work, int step, std::uint32_t stage,
                                             std::uint32_t full) {
  ptx::mbarrier_arrive_expect(full, Tile::kWeightsBytes);
  ptx::tma_load_2d(stage, &p.weights, full, (work.begin + step) * kStep,
                   work.group * p.deform.conv.group_out + work.first_channel);
}

/// One producer thread's chunks: of every kPass-th pixel.
template <typename Tile>
class Producer {
 public:
  static constexpr int kPass = Tile::kProducers / 8, kPasses = (Tile::kPixels + kPass - 1) / kPass;
  static constexpr int kAllInFlight = (CornerTable<Tile::kPixels>::kEntries + Tile::kProducers - 1) / Tile::kProducers;

  __device__ __forceinline__ Producer(const DeformParams& p, const Work& work, int thread, void* table)
      : table_(table), thread_(thread), row_(thread / 8), first_pixel_(work.first_pixel) {
    cursor_.start(p, work.group, work.begin, kStep, thread % 8 * 8);
  }

  /// Takes up the next step, and starts the loads of its first chunk.
  __device__ __forceinline__ void begin(const DeformParams& p) {
    if (cursor_.run_is_new()) {
      ptx::named_barrier(kBarrierOfProducers, Tile::kProducers);  // nobody reads the table any more
      cursor_.template enter_run<Tile::kProducers, kAllInFlight>(p, table_, thread_, first_pixel_);
      ptx::named_barrier(kBarrierOfProducers, Tile::kProducers);
    }
    entry_ = row_ * kDeformRunTaps + cursor_.tap;
    exists_ = cursor_.exists(p);
    from_ = cursor_.template address<__half>(p);
    cursor_.advance(p, kStep, thread_ % 8 * 8);
    fetch(0);
  }
  /// Stores all of the step's chunks to the pixels' operand at `shared`.
  __device__ __forceinline__ void store(std::uint32_t shared) {
    const std::uint32_t place = shared + swizzled<8>(row_, thread_ % 8);
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass) {
      if (pass + 1 < kPasses) fetch(pass + 1);
      if (!has(pass)) continue;
      const float4 weight = table_.weight[entry_ + pass * kPass * kDeformRunTaps];
      uint4 value = blend(held_[pass % 2], weight, static_cast<__half*>(nullptr));
      if (weight.x < 0.0f || !exists_) value = make_uint4(0, 0, 0, 0);
      ptx::store_shared(place + static_cast<std::uint32_t>(pass * kPass * kRowBytes), value);
    }
  }

 private:
  /// The last pass may have fewer pixels. The same in all lanes of a warp where kPass is a multiple of 4.
  __device__ __forceinline__ bool has(int pass) const {
    return (pass + 1) * kPass <= Tile::kPixels || row_ + pass * kPass < Tile::kPixels;
  }
  __device__ __forceinline__ void fetch(int pass) {
    if (!has(pass)) return;
    const int4 at = table_.at[entry_ + pass * kPass * kDeformRunTaps];
    uint4(&held)[4] = held_[pass % 2];
    held[0] = *reinterpret_cast<const uint4*>(from_ + at.x);
    held[1] = *reinterpret_cast<const uint4*>(from_ + at.y);
    held[2] = *reinterpret_cast<const uint4*>(from_ + at.z);
    held[3] = *reinterpret_cast<const uint4*>(from_ + at.w);
  }

  CornerTable<Tile::kPixels> table_;
  int thread_, row_, first_pixel_;
  SampleCursor cursor_;  // of the step after begin()'s
  // Of begin()'s step: the first row's entry, whether the chunk exists, its first channel of pixel 0.
  int entry_;
  bool exists_;
  const __half* from_;
  uint4 held_[2][4];
};

/// The producer warps: fill the stages of all steps.
template <typename Tile>
__device__ __forceinline__ void produce(const DeformTmaParams& p, const Work& work, unsigned char* shared,
                                        std::uint32_t base, std::uint32_t full, std::uint32_t empty) {
  const int thread = static_cast<int>(threadIdx.x) - kConsumers;
  // Prologue before griddepcontrol.wait: weights are constants, whereas the preceding kernel may still be writing the
  // offsets.
  if (thread == 0) {
    for (int step = 0; step < min(work.steps, Tile::kStages); ++step)
      load_weights<Tile>(p, work, step, base + step * Tile::kStageBytes, full + step * 8);
    prefetch_next_weights(p.deform.conv, (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x,
                          gridDim.x * gridDim.y * gridDim.z);
  }
  __syncwarp();
  ptx::wait_for_previous_grid();
  Producer<Tile> producer(p.deform, work, thread, shared + Tile::kTableAt);
  PipelineState<Tile::kStages> state;
#pragma unroll 1
  for (int step = 0; step < work.steps; ++step, state.advance()) {
    producer.begin(p.deform);
    const std::uint32_t stage = base + state.stage * Tile::kStageBytes;
    if (step >= Tile::kStages) {
      ptx::mbarrier_wait(empty + state.stage * 8, state.phase ^ 1);
      if (thread == 0) load_weights<Tile>(p, work, step, stage, full + state.stage * 8);
      __syncwarp();
    }
    producer.store(stage + Tile::kWeightsBytes);
    ptx::fence_proxy_async();
    __syncwarp();
    if (thread % 32 == 0) ptx::mbarrier_arrive(full + state.stage * 8);
  }
}

/// A warpgroup's accumulators: [block of 64 channels][8 pixels][values of a thread].
template <typename Tile>
using Sums = float[Tile::kBlocks * Tile::kEights][4];

/// Consumer main loop. `weights` and `pixels` are the shared-memory addresses of this warpgroup's operands in stage 0.
template <typename Tile>
__device__ __forceinline__ void multiply(std::uint32_t weights, std::uint32_t pixels, int steps, std::uint32_t full,
                                         std::uint32_t empty, Sums<Tile>& sums) {
  const bool signals = threadIdx.x % 32 == 0;
  PipelineState<Tile::kStages> state;
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
    for (int product = 0; product < kStep / 16; ++product) {
#pragma unroll
      for (int b = 0; b < Tile::kBlocks; ++b)
        ptx::wgmma_f16(reinterpret_cast<float(&)[Tile::kEights][4]>(sums[b * Tile::kEights]),
                       left + static_cast<std::uint64_t>(product * 2 + b * 64 * kRowBytes / 16),
                       right + static_cast<std::uint64_t>(product * 2));
    }
    ptx::wgmma_commit();
    // The previous step's wgmma have completed: release its stage.
    ptx::wgmma_wait<1>();
    if (signals && step != 0) ptx::mbarrier_arrive(empty + previous * 8);
    previous = state.stage;
    state.advance();
  }
  ptx::wgmma_wait<0>();
}

/// Writes a warpgroup's accumulators to the staging buffer, a line for each pixel.
template <typename Tile>
__device__ __forceinline__ void stage_sums(const Sums<Tile>& sums, float* staging) {
  const unsigned thread = ptx::thread_index(), lane = thread % 32;
  const auto place = [](int channel) { return staging_index<Tile::kColumns>(channel); };
  float* const mine = staging + lane % 4 * 2 * Tile::kLine +
                      place(static_cast<int>(thread / 128 * 128 + thread % 128 / 32 * 16 + lane / 4));
#pragma unroll
  for (int j = 0; j < Tile::kEights; ++j) {
#pragma unroll
    for (int b = 0; b < Tile::kBlocks; ++b) {
      const float(&sum)[4] = sums[b * Tile::kEights + j];
      float* const to = mine + j * 8 * Tile::kLine + place(b * 64);
      to[0] = sum[0];
      to[Tile::kLine] = sum[1];
      to[place(8)] = sum[2];
      to[place(8) + Tile::kLine] = sum[3];
    }
  }
}

/// The consumer warpgroups: main loop, and the accumulators' way into the staging buffer. *whole: whether this block
/// has the tile's sums there, or another one will.
template <typename Tile>
__device__ __forceinline__ void consume(const ConvParams& p, const Work& work, unsigned char* shared,
                                        std::uint32_t base, std::uint32_t full, std::uint32_t empty, unsigned* whole) {
  const auto sync = [] { ptx::named_barrier(kBarrierOfConsumers, kConsumers); };
  const std::uint32_t weights = base + threadIdx.x / 128 * 128 * kRowBytes;
  Sums<Tile> sums;
  multiply<Tile>(weights, base + Tile::kWeightsBytes, work.steps, full, empty, sums);
  sync();  // both warpgroups have read the last stages
  bool has_sums = true;
  if (p.splits > 1 && p.in_cluster == 0) {
    const int number = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x);
    has_sums = reduce_splits<kConsumers>(p, number, work.split, sums, whole, sync);
    sync();
  }
  if (threadIdx.x == 0) *whole = has_sums ? 1 : 0;
  if (has_sums) stage_sums<Tile>(sums, reinterpret_cast<float*>(shared));
}

template <typename Tile>
__device__ __forceinline__ void deform(const DeformTmaParams& p) {
  extern __shared__ __align__(1024) unsigned char shared[];
  ptx::let_next_grid_start();
  const ConvParams& c = p.deform.conv;
  const std::uint32_t base = ptx::shared_address(shared);
  const std::uint32_t full = base + Tile::kBarriersAt, empty = full + Tile::kStages * 8;
  unsigned* const whole = reinterpret_cast<unsigned*>(shared + Tile::kBarriersAt + Tile::kStages * 16);
  if (threadIdx.x == kConsumers) {
    ptx::prefetch_tensor_map(&p.weights);
#pragma unroll
    for (int stage = 0; stage < Tile::kStages; ++stage) {
      ptx::mbarrier_init(full + stage * 8, Tile::kProducers / 32 + 1);
      ptx::mbarrier_init(empty + stage * 8, kConsumers / 32);
    }
    ptx::fence_mbarrier_init();
  }
  __syncthreads();
  const Work work = Work::of<Tile>(c);
  if (threadIdx.x >= kConsumers) {
    ptx::setmaxnreg_dec<Tile::kProducerRegisters>();
    produce<Tile>(p, work, shared, base, full, empty);
    __syncwarp();
    ptx::setmaxnreg_inc<Tile::kRegisters>();
  } else {
    ptx::setmaxnreg_inc<Tile::kConsumerRegisters>();
    ptx::wait_for_previous_grid();
    consume<Tile>(c, work, shared, base, full, empty, whole);
    ptx::setmaxnreg_dec<Tile::kRegisters>();
  }
  __syncthreads();

  // All threads store what the consumers have staged.
  float* const staging = reinterpret_cast<float*>(shared);
  if (c.in_cluster != 0) {
    store_cluster_rows<Tile::kPixels, Tile::kColumns, Tile::kLine, Tile::kThreads, __half>(
        c, staging, work.first_pixel, work.first_channel, work.group, c.splits);
    return;
  }
  if (*whole == 0) return;
  Epilogue<Tile::kColumns, Tile::kThreads, __half> store;
  store.start(c, ptx::thread_index(), work.first_channel, work.group);
  store.template store<Tile::kPixels, Tile::kLine>(c, staging, work.first_pixel);
}

}  // namespace

#define MASKRT_DEFORM(name, ...)                                                                                   \
  extern "C" __global__ void __launch_bounds__(DeformWgmmaTile{__VA_ARGS__}.threads(), DeformWgmmaTile::kResident) \
      name(const __grid_constant__ DeformTmaParams p) {                                                            \
    deform<Tile<DeformWgmmaTile{__VA_ARGS__}>>(p);                                                                 \
  }
MASKRT_DEFORM_SM90_TILES(MASKRT_DEFORM)
#undef MASKRT_DEFORM

}  // namespace maskrt::kernels
