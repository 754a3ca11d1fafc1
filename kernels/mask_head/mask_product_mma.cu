// Mask logits on tensor cores: out[b, p, n] = features[b, p, :] . kernels[b, n, :] + offset[b, n]; features [B, P, K]
// fp16, kernels [B, N, K] fp32 rounded to fp16 in shared memory, accumulated in fp32, rounded once to out's type.
//
// A block of 4 warps holds the mask kernels of 104 instances in shared memory, 256 elements of k at a time, and loops
// over `tiles` consecutive tiles of 64 positions. A warp computes 16 positions by all 104 instances, so that features
// go from global memory straight into fragments and each is read once.
// Example: 8640 positions, 100 instances, K = 256. One column of blocks computes instances 0..103, of which 100 exist;
// with out.block = 112 it also writes the padding 100..111. At batch 1 `tiles` is 1 and the grid [135, 1, 1]; at batch
// 8 on 132 multiprocessors `tiles` is 4 and the grid [34, 1, 8], where each image's last block has 3 tiles.
// Bound by memory: the features are read and the logits written once. At batch 1 bound by L2, from which each block
// reads the kernels.
// Launch: grid [ceil(position tiles / tiles), columns of blocks, B], B at most 65535; 128 threads, 60320 bytes of
// dynamic shared memory.
#include "kernels/cuda/fragments.cuh"
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "mask_product_params.h"

namespace maskrt::kernels::cuda {
namespace {

using Tile = MaskProductTile;
constexpr int kColumnTiles = Tile::kInstances / 8;

/// Permutation of the instances over the columns of the mma tiles (8 columns each). In the accumulator layout lane q =
/// lane % 4 holds columns 2 q and 2 q + 1 of each tile. The 32 instances of four tiles are permuted so that a lane's
/// eight accumulators of a position are eight consecutive instances: one 16-byte store of fp16. The 13th tile has no
/// such group and keeps the plain order.
__device__ constexpr int first_of(int tile) { return tile / 4 * 32; }
__device__ constexpr int width_of(int tile) { return tile / 4 * 4 + 4 <= kColumnTiles ? 4 : 1; }
__device__ constexpr int instance_of(int tile, int column) {
  return first_of(tile) + column / 2 * 2 * width_of(tile) + tile % 4 * 2 + column % 2;
}

/// Copies elements [k0, k0 + 256) of the kernels of instances [n0, n0 + 104) to shared memory as fp16; zeros beyond the
/// last instance and the last element. Coalesced: neighbouring threads load neighbouring elements, 16 bytes each where
/// the list is aligned.
__device__ void stage(const MaskProductParams& p, int b, int n0, int k0, __half* kernels) {
  const auto row = [&](int n) {
    return n0 + n < p.out.channels ? pixel_of<const float>(p.kernels, b, n0 + n) + k0 : nullptr;
  };
  const int thread = static_cast<int>(threadIdx.x), left = p.features.channels - k0;
  if (p.kernels.aligned != 0 && left % 4 == 0) {
    constexpr int kFours = Tile::kDepth / 4;
#pragma unroll 4
    for (int i = thread; i < Tile::kInstances * kFours; i += Tile::kThreads) {
      const int n = i / kFours, k = i % kFours * 4;
      const float* from = row(n);
      const float4 four = from != nullptr && k < left ? *reinterpret_cast<const float4*>(from + k) : float4{};
      *reinterpret_cast<uint2*>(kernels + n * Tile::kStride + k) =
          make_uint2(packed(four.x, four.y), packed(four.z, four.w));
    }
    return;
  }
#pragma unroll 4
  for (int i = thread; i < Tile::kInstances * Tile::kDepth; i += Tile::kThreads) {
    const int n = i / Tile::kDepth, k = i % Tile::kDepth;
    const float* from = row(n);
    kernels[n * Tile::kStride + k] = __float2half_rn(from != nullptr && k < left ? from[k] : 0.0f);
  }
}

__device__ Eight load_features(const MaskProductParams& p, const __half* pixel, int k) {
  if (pixel == nullptr || k >= p.features.channels) return Eight{};
  if (p.features.aligned != 0 && k + 8 <= p.features.block) return load_eight(pixel + k);
  return load_some(pixel + k, p.features.channels - k);
}

/// Stores channels c and c + 1 of a pixel, up to map.block. c is even.
template <typename Out>
__device__ void store_pair(const Map& map, Out* pixel, int c, float first, float second) {
  if (map.aligned != 0 && c + 2 <= map.block) {
    if constexpr (sizeof(Out) == 2)
      *reinterpret_cast<std::uint32_t*>(pixel + c) = packed(first, second);
    else
      *reinterpret_cast<float2*>(pixel + c) = make_float2(first, second);
    return;
  }
  if (c < map.block) pixel[c] = narrow<Out>(first);
  if (c + 1 < map.block) pixel[c + 1] = narrow<Out>(second);
}

/// Stores the 13th tile: lane q = lane % 4 of four holds channels c + 2 q and c + 2 q + 1 of `pixel`. In the last
/// column of blocks the four lanes also store the next 8 channels, padding, as zeros, so that in fp16 they write a
/// whole 32-byte sector. A lane whose `pixel` is null stores nothing. Called by all lanes of a warp.
template <typename Out>
__device__ void store_last(const Map& map, Out* pixel, int c, bool last_column, float first, float second) {
  const int lane = static_cast<int>(threadIdx.x) % 32, quarter = lane % 4;
  if constexpr (sizeof(Out) == 2) {
    if (last_column && map.aligned != 0 && c + 16 <= map.block) {
      const unsigned mine = packed(first, second);
      const int from = lane - quarter + quarter * 2 % 4;
      const unsigned low = __shfl_sync(0xffffffff, mine, from), high = __shfl_sync(0xffffffff, mine, from + 1);
      if (pixel != nullptr)
        *reinterpret_cast<uint2*>(pixel + c + quarter * 4) = quarter < 2 ? make_uint2(low, high) : make_uint2(0, 0);
      return;
    }
  }
  if (pixel == nullptr) return;
  store_pair(map, pixel, c + quarter * 2, first, second);
  if (last_column) store_pair(map, pixel, c + 8 + quarter * 2, 0, 0);
}

template <typename Out>
__device__ void mask_product(const MaskProductParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  extern __shared__ __align__(16) unsigned char shared[];
  __half* kernels = reinterpret_cast<__half*>(shared);
  float* offsets = reinterpret_cast<float*>(shared + Tile::kInstances * Tile::kStride * sizeof(__half));
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int group = lane / 4, quarter = lane % 4, b = static_cast<int>(blockIdx.z);
  const int n0 = static_cast<int>(blockIdx.y) * Tile::kInstances, positions = p.out.height * p.out.width;
  const bool last_column = blockIdx.y == gridDim.y - 1;
  for (int n = static_cast<int>(threadIdx.x); n < Tile::kInstances; n += Tile::kThreads)
    offsets[n] = p.offset != 0 && n0 + n < p.out.channels
                     ? pixel_of<const float>(p.kernels, b, n0 + n)[p.features.channels]
                     : 0.0f;

  for (int tile = 0; tile < p.tiles; ++tile) {
    const int first = (static_cast<int>(blockIdx.x) * p.tiles + tile) * Tile::kPositions;
    if (first >= positions) break;
    const int upper_position = first + warp * 16 + group, lower_position = upper_position + 8;
    const auto pixel = [&](int position) {
      return position < positions ? pixel_of<const __half>(p.features, b, position) : nullptr;
    };
    const __half *upper = pixel(upper_position), *lower = pixel(lower_position);
    float acc[kColumnTiles][4] = {};
    for (int k0 = 0; k0 < p.features.channels; k0 += Tile::kDepth) {
      if (k0 > 0 || tile == 0 || p.features.channels > Tile::kDepth) {
        __syncthreads();
        stage(p, b, n0, k0, kernels);
        __syncthreads();
      }
      const int depth = min(Tile::kDepth, p.features.channels - k0);
      for (int k1 = 0; k1 < depth; k1 += 128) {
        Eight a[4][2];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int k = k0 + k1 + i * 32 + quarter * 8;
          a[i][0] = load_features(p, upper, k);
          a[i][1] = load_features(p, lower, k);
        }
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if (k1 + i * 32 >= depth) break;
#pragma unroll
          for (int t = 0; t < kColumnTiles; ++t)
            multiply_32(acc[t], a[i][0], a[i][1],
                        load_eight(kernels + instance_of(t, group) * Tile::kStride + k1 + i * 32 + quarter * 8));
        }
      }
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int position = half == 0 ? upper_position : lower_position;
      Out* out = position < positions ? pixel_of<Out>(p.out, b, position) : nullptr;
      constexpr int kLast = kColumnTiles - 1;
      const auto value = [&](int i) {
        const int n = instance_of(kLast, quarter * 2 + i);
        return n0 + n < p.out.channels ? acc[kLast][half * 2 + i] + offsets[n] : 0.0f;
      };
      store_last(p.out, out, n0 + first_of(kLast), last_column, value(0), value(1));
      if (out == nullptr) continue;
#pragma unroll
      for (int t = 0; t + 4 <= kColumnTiles; t += 4) {
        const int n = first_of(t) + quarter * 8;
        Octet o;
#pragma unroll
        for (int i = 0; i < 8; ++i) o.v[i] = acc[t + i / 2][half * 2 + i % 2] + offsets[n + i];
        store_channels(p.out, out, n0 + n, o);
      }
    }
  }
}

}  // namespace

extern "C" {
/// Grid [ceil(position tiles / tiles), columns of blocks, batch]. A column of blocks has 104 instances; the last column
/// also writes up to 8 padding channels after them.
__global__ void __launch_bounds__(Tile::kThreads) mask_product_f16(const __grid_constant__ MaskProductParams p) {
  mask_product<__half>(p);
}
__global__ void __launch_bounds__(Tile::kThreads) mask_product_f16_f32(const __grid_constant__ MaskProductParams p) {
  mask_product<float>(p);
}
}

}  // namespace maskrt::kernels::cuda
