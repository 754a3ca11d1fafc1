// A class for each pixel of a picture: the one with the largest sum over queries of its probability times the
// probability of the query's mask, sigmoid(resize(crop(resize(logits)))), both resizes bilinear. Or, with resize_after,
// times resize(sigmoid(crop(resize(logits)))), which is what resizing the sums gives.
//
// shares [B, Q, stride] from class_shares.cu, masks [B, h, w, Q] of fp16 or fp32, labels int32 [H, W] of each image.
// Persistent: blocks loop over tiles of 16 columns by 8 or 2 rows of all pictures. A tile:
//   1. probabilities of all queries at its pixels, in shared memory: a warp goes along a row, lanes are queries, which
//      are neighbours in memory. Columns of the map are blended vertically once for all pixels between them.
//   2. the product [K, Q] x [Q, pixels] in fp32: a lane has two pixels (of small tiles one), a warp every few groups of
//      eight classes, whose probabilities are the same address for all lanes.
//   3. the best class of each warp's, then of all.
// Sums run over queries in ascending order; of equal sums the lower class wins.
// Example: 100 queries, 80 classes, a picture of 640 x 480: 40 x 60 tiles; each warp has 5 of 10 groups for 64 pixels.
// Bound by the FP32 pipes: 2 * Q * K operations a pixel.
// Launch: any grid, 256 threads, dynamic shared memory of class_map_bytes().
#include "kernels/ptx/griddepcontrol.cuh"
#include "picture_tiles.cuh"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kWarps = kClassThreads / 32, kColumns = kClassColumns;

/// Probabilities of one query along a row of pixels.
template <typename T>
__device__ void probabilities_of_row(const QueryLogits<T>& logits, const ComposedTap& rows, const ComposedTap* columns,
                                     int count, float* to) {
  float v[ComposedTap::taps] = {};
  int at = -ComposedTap::taps;
  for (int i = 0; i < count; ++i) {
    const ComposedTap column = columns[i];
    for (at = max(at, column.first - ComposedTap::taps); at < column.first; ++at) {
      v[0] = v[1];
      v[1] = v[2];
      v[2] = logits.column(rows, at + ComposedTap::taps);
    }
    to[i] = probability_of_logit(v[0] * column.weight[0] + v[1] * column.weight[1] + v[2] * column.weight[2]);
  }
}

/// The same where probabilities are made at the size of the network's input, and resized then.
template <typename T>
__device__ void resized_probabilities(const QueryLogits<T>& logits, const ImageGeometry& g, int x, int y, int count,
                                      float* to) {
  const auto taps_at = [](int position, const AxisGeometry& axis, int size, AxisTap& second, AxisTap(&first)[2]) {
    second = axis_tap(position, axis.resized, axis.second_step);
    first[0] = axis_tap(second.low, size, axis.first_step);
    first[1] = axis_tap(second.high, size, axis.first_step);
  };
  AxisTap row, column, rows[2], columns[2];
  taps_at(y, g.y, logits.height, row, rows);
  for (int i = 0; i < count; ++i) {
    taps_at(x + i, g.x, logits.width, column, columns);
    float p[2][2];
#pragma unroll
    for (int j = 0; j < 2; ++j)
#pragma unroll
      for (int k = 0; k < 2; ++k) p[j][k] = probability_of_logit(logits.resized(rows[j], columns[k]));
    const float top = p[0][0] * (1 - column.weight) + p[0][1] * column.weight;
    const float bottom = p[1][0] * (1 - column.weight) + p[1][1] * column.weight;
    to[i] = top * (1 - row.weight) + bottom * row.weight;
  }
}

struct Best {
  float score;
  int class_id;
};

template <typename T, int pixels>
__device__ void class_map(const ClassMapParams& p) {
  constexpr int rows = pixels / kColumns, warps_of_row = kWarps / rows;
  constexpr int each = pixels >= 64 ? 2 : 1, parts = pixels / (32 * each), teams = kWarps / parts;
  constexpr int pitch = pixels + 1;  // odd, so that lanes which store one pixel of several queries meet different banks
  extern __shared__ float probabilities[];  // [Q][pitch]
  __shared__ ComposedTap columns[kColumns];
  __shared__ Best best[teams][pixels];
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const int queries = p.masks.channels, groups = (p.classes + kClassesAtOnce - 1) / kClassesAtOnce;
  const PictureCall call = *p.call;
  const Pictures pictures(p.call);
  int image = 0;
  for (int number = static_cast<int>(blockIdx.x); number < call.tiles; number += static_cast<int>(gridDim.x)) {
    const PictureTile tile = pictures.tile(number, image, p.batch, kColumns, rows);
    image = tile.image;
    const PictureOfCall& picture = pictures[image];
    const ImageGeometry g = picture.geometry;
    const int count = min(kColumns, g.x.original - tile.x);
    if (thread < count) columns[thread] = composed_tap(tile.x + thread, g.x, p.masks.width);
    __syncthreads();
    const int row = warp % rows, y = tile.y + row;
    ComposedTap row_taps{};
    if (y < g.y.original) row_taps = composed_tap(y, g.y, p.masks.height);
    for (int query = warp / rows * 32 + lane; query < queries; query += 32 * warps_of_row) {
      float* const to = probabilities + query * pitch + row * kColumns;
      int made = 0;
      if (y < g.y.original) {
        const QueryLogits<T> logits(p.masks, image, query);
        made = count;
        if (p.resize_after != 0) {
          resized_probabilities(logits, g, tile.x, y, count, to);
        } else {
          probabilities_of_row(logits, row_taps, columns, count, to);
        }
      }
      for (int i = made; i < kColumns; ++i) to[i] = 0;
    }
    __syncthreads();

    const int part = warp % parts, team = warp / parts, first = part * 32 * each + lane;
    Best own[each];
#pragma unroll
    for (int e = 0; e < each; ++e) own[e] = {-1.0f, 0};
    for (int group = team; group < groups; group += teams) {
      float sums[each][kClassesAtOnce] = {};
      const float* share = p.shares + static_cast<std::int64_t>(image) * queries * p.stride + group * kClassesAtOnce;
      const float* probability = probabilities + first;
#pragma unroll 4
      for (int query = 0; query < queries; ++query, share += p.stride, probability += pitch) {
        const Octet of_classes = load_octet(share);
#pragma unroll
        for (int e = 0; e < each; ++e) {
          const float here = probability[e * 32];
#pragma unroll
          for (int c = 0; c < kClassesAtOnce; ++c) sums[e][c] = fmaf(of_classes.v[c], here, sums[e][c]);
        }
      }
#pragma unroll
      for (int e = 0; e < each; ++e)
#pragma unroll
        for (int c = 0; c < kClassesAtOnce; ++c) {
          const int class_id = group * kClassesAtOnce + c;
          if (class_id < p.classes && sums[e][c] > own[e].score) own[e] = {sums[e][c], class_id};
        }
    }
#pragma unroll
    for (int e = 0; e < each; ++e) best[team][first + e * 32] = own[e];
    __syncthreads();
    if (thread < pixels) {
      Best winner = best[0][thread];
      for (int t = 1; t < teams; ++t) {
        const Best other = best[t][thread];
        if (other.score > winner.score || (other.score == winner.score && other.class_id < winner.class_id))
          winner = other;
      }
      const int x = tile.x + thread % kColumns, to_y = tile.y + thread / kColumns;
      if (x < g.x.original && to_y < g.y.original)
        call.numbers[picture.first_number + static_cast<std::uint64_t>(to_y) * static_cast<unsigned>(g.x.original) +
                     static_cast<unsigned>(x)] = winner.class_id;
    }
    __syncthreads();  // all threads have read what the next tile writes
  }
}

}  // namespace

#define MASKRT_CLASS_MAP(name, T, pixels)                                     \
  extern "C" __global__ void __launch_bounds__(kClassThreads, 2)              \
      class_map_##name##_##pixels(const __grid_constant__ ClassMapParams p) { \
    class_map<T, pixels>(p);                                                  \
  }
MASKRT_CLASS_MAP(f32, float, 128)
MASKRT_CLASS_MAP(f32, float, 32)
MASKRT_CLASS_MAP(f16, __half, 128)
MASKRT_CLASS_MAP(f16, __half, 32)

}  // namespace maskrt::kernels::cuda
