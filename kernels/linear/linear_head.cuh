// Shared by the linear kernels: addressing of input rows, mapping of column tiles to heads, and the epilogue.
#pragma once

#include "kernels/cuda/activate.cuh"
#include "kernels/cuda/octet.cuh"
#include "linear_params.h"

namespace maskrt::kernels::cuda {

/// The first element of a row. `row` counts over the rows of all images: image row / in.rows, row row % in.rows.
__device__ inline const float* row_of(const ListRows& in, int row) {
  return in.data + row / in.rows * in.batch_stride + row % in.rows * in.row_stride;
}

/// The head of a tile of columns, and the first column within it.
struct HeadTile {
  const LinearParams::Head* head;
  int column;
};
__device__ inline HeadTile head_of(const LinearParams& p, int tile, int columns) {
  int i = 0;
  while (tile >= p.heads[i].end_tile) ++i;
  return {&p.heads[i], (tile - (i == 0 ? 0 : p.heads[i - 1].end_tile)) * columns};
}

/// Epilogue of one result: bias, activation and store. Padding columns are stored as zeros, columns from block on not.
__device__ inline void store_result(const LinearParams& p, const LinearParams::Head& head, int row, int column,
                                    float sum) {
  if (column >= head.out.block) return;
  float value = 0;
  if (column < head.out.channels) {
    value = head.bias != nullptr ? sum + head.bias[column] : sum;
    value = activated(static_cast<Activation>(head.activation), value);
  }
  const int b = row / p.in.rows, n = row % p.in.rows;
  if (head.out_f16 != 0)
    pixel_of<__half>(head.out, b, n)[column] = narrow<__half>(value);
  else
    pixel_of<float>(head.out, b, n)[column] = value;
}

/// The same of two neighbouring results, the first in an even column, in one access where they are fp32 and aligned.
__device__ inline void store_pair(const LinearParams& p, const LinearParams::Head& head, int row, int column,
                                  float first, float second) {
  const bool whole = head.out_f16 == 0 && head.out.pixel_stride % 2 == 0 && head.out.batch_stride % 2 == 0 &&
                     reinterpret_cast<std::uintptr_t>(head.out.data) % 8 == 0 && column + 2 <= head.out.channels &&
                     reinterpret_cast<std::uintptr_t>(head.bias) % 8 == 0;
  if (!whole) {
    store_result(p, head, row, column, first);
    store_result(p, head, row, column + 1, second);
    return;
  }
  const auto activation = static_cast<Activation>(head.activation);
  float2 bias = make_float2(0, 0);
  if (head.bias != nullptr) bias = *reinterpret_cast<const float2*>(head.bias + column);
  *reinterpret_cast<float2*>(pixel_of<float>(head.out, row / p.in.rows, row % p.in.rows) + column) =
      make_float2(activated(activation, first + bias.x), activated(activation, second + bias.y));
}

}  // namespace maskrt::kernels::cuda
