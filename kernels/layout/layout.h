// Copies of channels and of rows between tensors: concatenation, slices, conversion of layout and type.
#pragma once

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[..., out_begin + c] = in[..., in_begin + c] for c < count. fp32 or bf16, any blocking each.
/// No element of `out` outside of these channels is written.
void copy_channels_ref(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                       std::int64_t count);
void copy_channels_cpu(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                       std::int64_t count);

/// out[:, out_begin + n] = in[:, in_begin + n] for n < count, of lists of as many channels: [B, N, 1, C] in fp32, each
/// row's channels side by side. No other row of `out` is written.
void copy_rows_ref(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                   std::int64_t count);
void copy_rows_cpu(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                   std::int64_t count);

/// Writes zeros to the padding channels of the last block: an invariant of every blocked tensor.
void clear_padding(const Tensor& out);

/// out[b, y, x] = (x, y) as coordinates from -1 to 1 inclusive. Two channels, fp32 or bf16, any blocking.
void coordinates_ref(const Tensor& out);

}  // namespace maskrt::kernels
