// Image bytes to the network's input in one kernel: both passes of Pillow's BILINEAR resize (bit for bit),
// normalisation, padding and layout: out[b, y, x, c] = (resize(image_b)[y, x, c] - mean[c]) / std[c] inside of the
// resized image, 0 outside. Images are 8-bit, 1 or 3 bytes a pixel; out [B, H, W, 3], NHWC, fp32 or fp16.
//
// A block computes a tile of 32 x 32 output pixels and loops over the source rows that it needs, 32 at a time, and over
// their columns, 128 at a time:
//   1. load: source rows in whole 32-byte sectors, shifted to word alignment on their way to shared memory;
//   2. horizontal pass: lane = source row, so that a warp reads the same columns of 32 rows with the same weights; rows
//      lie an odd number of words apart, without bank conflicts;
//   3. vertical pass: lane = column; sums of both passes are in registers, so that windows may have any size.
// Pillow's fixed-point coefficients are computed by the block, in double and in Pillow's order of operations.
// Example: an image 1281 pixels wide resized to 861 in an input of width 864. Windows have up to 5 source pixels; a
// tile of 32 columns needs about 50 source columns, one chunk. Of 27 tiles the last has 29 columns of the image and 3
// of padding.
// Bound by the integer multiply-adds and the loads of their operands from shared memory.
// Launch: grid [ceil(W / 32), ceil(H / 32), B], 256 threads, 20456 bytes of static shared memory, 3 blocks a
// multiprocessor. Images and sizes are read from device memory, so that a recorded launch serves all calls.
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "pillow_window.cuh"
#include "preprocess_params.h"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kWidth = kPreprocessTileWidth, kHeight = kPreprocessTileHeight, kRows = kPreprocessRows;
constexpr int kColumns = kPreprocessColumns, kWarps = kPreprocessThreads / 32, kLanes = 32;
static_assert(kRows == kLanes && kWidth % kWarps == 0 && kWidth % kLanes == 0);

/// Fixed-point sums of one pixel's three channels in one pass, initialised with the rounding term.
struct Sums {
  int c[3] = {PillowTaps::kHalf, PillowTaps::kHalf, PillowTaps::kHalf};

  __device__ void add(unsigned pixel, int weight) {
#pragma unroll
    for (int i = 0; i < 3; ++i) c[i] += static_cast<int>(__byte_perm(pixel, 0, 0x4440 + i)) * weight;
  }
  __device__ unsigned value(int i) const { return static_cast<unsigned>(min(c[i] >> PillowTaps::kBits, 255)); }
  __device__ unsigned pixel() const { return value(0) | value(1) << 8 | value(2) << 16; }
};

constexpr int kSectorBytes = 32, kSectorWords = kSectorBytes / 4;
constexpr int kSourceWords = kColumns * 3 / 4 + 1;
static_assert(kSourceWords % 2 == 1, "lanes that read one column of neighbouring rows meet different banks");

/// Shared memory of a tile: one chunk of the source, its horizontal pass, and the coefficients of both passes.
struct Stage {
  unsigned source[kRows][kSourceWords];  ///< source bytes, from the first byte of the chunk's first pixel on
  unsigned narrowed[kRows][kWidth + 1];  ///< result of the horizontal pass, one pixel in each word
  PillowTile<kWidth, kColumns> across;
  PillowTile<kHeight, kRows> down;
};

/// Loads the aligned word at from + byte; bytes outside of [begin, end) are not accessed and are zero.
__device__ unsigned load_word(const std::uint8_t* from, int byte, int begin, int end) {
  if (byte >= begin && byte + 4 <= end) return *reinterpret_cast<const unsigned*>(from + byte);
  unsigned word = 0;
#pragma unroll 1
  for (int i = max(0, begin - byte); i < min(4, end - byte); ++i)
    word |= static_cast<unsigned>(from[byte + i]) << 8 * i;
  return word;
}

/// Clips the byte range [begin, end), counted from `from`, to the memory between the image's first and last pixel.
__device__ void clip(const ImageToResize& image, const std::uint8_t* from, int& begin, int& end) {
  const std::int64_t last_row = (image.height - 1) * image.row_stride, first = image.pixels - from;
  const std::int64_t image_end = first + max(last_row, std::int64_t{0}) + image.width * image.pixel_bytes;
  begin = static_cast<int>(max(first + min(last_row, std::int64_t{0}), static_cast<std::int64_t>(begin)));
  end = static_cast<int>(min(image_end, static_cast<std::int64_t>(end)));
}

/// Loads a chunk of the source to shared memory, one row for each warp at a time: all sectors that overlap the row, as
/// far as they belong to the image. Rows may start at any byte.
__device__ void stage_rows(const ImageToResize& image, int first_row, int rows, int first_column, int columns,
                           Stage& stage) {
  const int warp = static_cast<int>(threadIdx.x) / kLanes, lane = static_cast<int>(threadIdx.x) % kLanes;
  // Sectors of a row that has neighbours above and below lie within the image, since rows are at least a sector apart.
  const bool inside = first_row > 0 && first_row + rows < image.height && abs(image.row_stride) >= kSectorBytes;
#pragma unroll 2
  for (int row = warp; row < rows; row += kWarps) {
    const std::uint8_t* from = image.pixels + (first_row + row) * image.row_stride + first_column * image.pixel_bytes;
    const int shift = static_cast<int>(reinterpret_cast<std::uintptr_t>(from) % kSectorBytes);
    from -= shift;
    const int words = (shift + columns * image.pixel_bytes + kSectorBytes - 1) / kSectorBytes * kSectorWords;
    int begin = 0, end = words * 4;
    if (!inside) clip(image, from, begin, end);
    unsigned word = load_word(from, lane * 4, begin, end);
    for (int i = 0; i < words; i += kLanes) {
      const unsigned later = i + kLanes < words ? load_word(from, (i + kLanes + lane) * 4, begin, end) : 0;
      const unsigned beside = __shfl_sync(0xffffffffu, lane == 0 ? later : word, (lane + 1) % kLanes);
      const int to = i + lane - shift / 4;
      if (to >= 0 && to < kSourceWords) stage.source[row][to] = __funnelshift_r(word, beside, shift * 8);
      word = later;
    }
  }
}

/// Horizontal pass over one staged row for this warp's output columns. `row` is its first byte.
template <int Bytes, int Count>
__device__ void add_columns(const std::uint8_t* row, const Stage& stage, Sums (&sums)[Count]) {
  const int warp = static_cast<int>(threadIdx.x) / kLanes;
#pragma unroll
  for (int j = 0; j < Count; ++j) {
    stage.across.for_each_weight(warp + j * kWarps, [&](int k, int weight) {
#pragma unroll
      for (int i = 0; i < Bytes; ++i) sums[j].c[i] += row[k * Bytes + i] * weight;
    });
    if (Bytes == 1) sums[j].c[1] = sums[j].c[2] = sums[j].c[0];
  }
}

/// (byte - mean) / std, correctly rounded.
__device__ float normalised(const PreprocessParams& p, int channel, unsigned byte) {
  const float distance = __fsub_rn(static_cast<float>(byte), p.mean[channel]);
  if (p.divides != 0) return __fdiv_rn(distance, p.std[channel]);
  const float quotient = __fmul_rn(distance, p.inverse[channel]);
  return __fmaf_rn(__fmaf_rn(-quotient, p.std[channel], distance), p.inverse[channel], quotient);
}

/// Stores a pixel and its padding channels, in accesses as wide as its alignment allows.
template <typename T>
__device__ void store_pixel(const Map& out, T* to, const float (&value)[3]) {
  struct alignas(4 * sizeof(T)) Quad {
    T v[4];
  };
  if (out.aligned != 0 && out.block % 8 == 0) {
    store_octet(to, {{value[0], value[1], value[2]}});
    for (int c = 8; c < out.block; c += 8) store_octet(to + c, {});
  } else if (out.block == 4 && reinterpret_cast<std::uintptr_t>(to) % sizeof(Quad) == 0) {
    *reinterpret_cast<Quad*>(to) = {{narrow<T>(value[0]), narrow<T>(value[1]), narrow<T>(value[2]), narrow<T>(0)}};
  } else {
#pragma unroll
    for (int c = 0; c < 3; ++c) to[c] = narrow<T>(value[c]);
    for (int c = 3; c < out.block; ++c) to[c] = narrow<T>(0);
  }
}

/// Grid: tiles across, tiles down, images.
template <typename T>
__device__ void preprocess(const PreprocessParams& p) {
  __shared__ Stage stage;
  __shared__ ImageToResize image;
  ptx::let_next_grid_start();  // the first kernel of its graph: no griddepcontrol.wait needed
  const int tile_x = static_cast<int>(blockIdx.x) * kWidth, tile_y = static_cast<int>(blockIdx.y) * kHeight;
  const int b = static_cast<int>(blockIdx.z), thread = static_cast<int>(threadIdx.x);
  const int warp = thread / kLanes, lane = thread % kLanes;
  if (thread < static_cast<int>(sizeof image / 4))
    reinterpret_cast<unsigned*>(&image)[thread] = reinterpret_cast<const unsigned*>(p.images + b)[thread];
  __syncthreads();

  // The vertical pass: thread t sums column t % 32 of rows t / 32, t / 32 + 8, ...
  constexpr int row_step = kPreprocessThreads / kWidth, outputs = kHeight / row_step;
  const int column = thread % kWidth, first_output = thread / kWidth;
  Sums sums[outputs];

  if (tile_x < image.resized_width && tile_y < image.resized_height) {
    stage.across.find_windows(pillow_axis(image.width, image.resized_width), tile_x, image.resized_width, thread);
    stage.down.find_windows(pillow_axis(image.height, image.resized_height), tile_y, image.resized_height,
                            thread - kWidth);
    __syncthreads();
    const int last_column = min(kWidth, image.resized_width - tile_x) - 1;
    const int last_row = min(kHeight, image.resized_height - tile_y) - 1;
    const int begin_column = stage.across.windows[0].first, end_column = stage.across.windows[last_column].end;
    const int begin_row = stage.down.windows[0].first, end_row = stage.down.windows[last_row].end;

    int weighted = -1;  // first column of the chunk that the horizontal weights in shared memory are for
    for (int y = begin_row; y < end_row; y += kRows) {
      const int rows = min(kRows, end_row - y);
      constexpr int columns_of_warp = kWidth / kWarps;
      Sums narrowed[columns_of_warp];
      for (int x = begin_column; x < end_column; x += kColumns) {
        __syncthreads();  // all threads have read the previous chunk
        stage_rows(image, y, rows, x, min(kColumns, end_column - x), stage);
        if (x == begin_column) stage.down.find_weights(y, thread, kPreprocessThreads);
        if (x != weighted) stage.across.find_weights(x, thread, kPreprocessThreads);
        weighted = x;
        __syncthreads();
        if (lane < rows) {
          const std::uint8_t* row = reinterpret_cast<const std::uint8_t*>(stage.source[lane]);
          if (image.pixel_bytes == 1) {
            add_columns<1>(row, stage, narrowed);
          } else {
            add_columns<3>(row, stage, narrowed);
          }
        }
      }
      if (lane < rows) {
#pragma unroll
        for (int j = 0; j < columns_of_warp; ++j) stage.narrowed[lane][warp + j * kWarps] = narrowed[j].pixel();
      }
      __syncthreads();
#pragma unroll
      for (int j = 0; j < outputs; ++j) {
        stage.down.for_each_weight(first_output + j * row_step,
                                   [&](int k, int weight) { sums[j].add(stage.narrowed[k][column], weight); });
      }
    }
  }

  const int x = tile_x + column;
  if (x >= p.out.width) return;
#pragma unroll
  for (int j = 0; j < outputs; ++j) {
    const int y = tile_y + first_output + j * row_step;
    if (y >= p.out.height) break;
    float value[3] = {0, 0, 0};
    if (x < image.resized_width && y < image.resized_height) {
#pragma unroll
      for (int i = 0; i < 3; ++i)
        value[i] = normalised(p, i, image.reversed != 0 ? sums[j].value(2 - i) : sums[j].value(i));
    }
    T* to = static_cast<T*>(p.out.data) + b * p.out.batch_stride +
            (static_cast<std::int64_t>(y) * p.out.width + x) * p.out.pixel_stride;
    store_pixel(p.out, to, value);
  }
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kPreprocessThreads, 3) preprocess_f32(const __grid_constant__ PreprocessParams p) {
  preprocess<float>(p);
}
__global__ void __launch_bounds__(kPreprocessThreads, 3) preprocess_f16(const __grid_constant__ PreprocessParams p) {
  preprocess<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
