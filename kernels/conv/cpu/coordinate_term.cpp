#include "coordinate_term.h"

#include <cstdint>
#include <map>

#include "kernels/coordinate.h"
#include "kernels/cpu/parallel_failure.h"
#include "kernels/cpu/rows.h"
#include "kernels/element.h"

namespace maskrt::kernels {
namespace {

/// The border classes of one axis, numbered in order of appearance: for each output position its class, for each class
/// the bit set of taps inside of the map.
struct Borders {
  std::vector<int> of;
  std::vector<std::uint64_t> taps;
};

Borders borders(std::int64_t size, std::int64_t out_size, int kernel, const ConvGeometry& g) {
  Borders result;
  std::map<std::uint64_t, int> known;
  for (std::int64_t o = 0; o < out_size; ++o) {
    std::uint64_t inside = 0;
    for (int k = 0; k < kernel; ++k) {
      const std::int64_t at = o * g.stride - g.padding + k * g.dilation;
      if (at >= 0 && at < size) inside |= std::uint64_t{1} << k;
    }
    const auto [entry, is_new] = known.emplace(inside, static_cast<int>(result.taps.size()));
    if (is_new) result.taps.push_back(inside);
    result.of.push_back(entry->second);
  }
  return result;
}

MASKRT_CLONES void write_row(const float* column, const float* row, std::int64_t n, std::int64_t block, float* out) {
  for (std::int64_t x = 0; x < n; ++x)
    for (std::int64_t c = 0; c < block; ++c) out[x * block + c] = column[x * block + c] + row[c];
}

MASKRT_CLONES void add_row(const float* column, const float* row, std::int64_t n, std::int64_t block, float* out) {
  for (std::int64_t x = 0; x < n; ++x)
    for (std::int64_t c = 0; c < block; ++c) out[x * block + c] += column[x * block + c] + row[c];
}

}  // namespace

CoordinateTerm::CoordinateTerm(const ConvGeometry& g, const float* weight, std::int64_t out_channels,
                               std::int64_t height, std::int64_t width, std::int64_t block)
    : block_(block),
      blocks_((out_channels + block - 1) / block),
      rows_(conv_output_size(height, g.kernel_height, g)),
      columns_(conv_output_size(width, g.kernel_width, g)) {
  const Borders rows = borders(height, rows_, g.kernel_height, g),
                columns = borders(width, columns_, g.kernel_width, g);
  row_class_ = rows.of;
  column_class_ = columns.of;
  const int kh = g.kernel_height, kw = g.kernel_width;
  const auto at = [&](std::int64_t o, int plane, int ky, int kx) {
    return static_cast<double>(weight[((o * 2 + plane) * kh + ky) * kw + kx]);
  };
  const auto has = [](std::uint64_t taps, int k) { return (taps >> k & 1) != 0; };
  by_column_.assign(rows.taps.size() * static_cast<std::size_t>(blocks_ * columns_ * block), 0.0f);
  by_row_.assign(columns.taps.size() * static_cast<std::size_t>(blocks_ * rows_ * block), 0.0f);
  for (std::int64_t o = 0; o < out_channels; ++o) {
    for (std::size_t v = 0; v < rows.taps.size(); ++v) {
      std::vector<double> sums(static_cast<std::size_t>(kw), 0.0);  // weights of x summed over rows inside
      for (int kx = 0; kx < kw; ++kx)
        for (int ky = 0; ky < kh; ++ky)
          if (has(rows.taps[v], ky)) sums[static_cast<std::size_t>(kx)] += at(o, 0, ky, kx);
      for (std::int64_t x = 0; x < columns_; ++x) {
        double term = 0;
        for (int kx = 0; kx < kw; ++kx)
          if (has(columns.taps[static_cast<std::size_t>(column_class_[static_cast<std::size_t>(x)])], kx))
            term += sums[static_cast<std::size_t>(kx)] * coordinate(x * g.stride - g.padding + kx * g.dilation, width);
        const std::int64_t index = ((static_cast<std::int64_t>(v) * blocks_ + o / block) * columns_ + x) * block;
        by_column_[static_cast<std::size_t>(index + o % block)] = static_cast<float>(term);
      }
    }
    for (std::size_t h = 0; h < columns.taps.size(); ++h) {
      std::vector<double> sums(static_cast<std::size_t>(kh), 0.0);  // weights of y summed over columns inside
      for (int ky = 0; ky < kh; ++ky)
        for (int kx = 0; kx < kw; ++kx)
          if (has(columns.taps[h], kx)) sums[static_cast<std::size_t>(ky)] += at(o, 1, ky, kx);
      for (std::int64_t y = 0; y < rows_; ++y) {
        double term = 0;
        for (int ky = 0; ky < kh; ++ky)
          if (has(rows.taps[static_cast<std::size_t>(row_class_[static_cast<std::size_t>(y)])], ky))
            term += sums[static_cast<std::size_t>(ky)] * coordinate(y * g.stride - g.padding + ky * g.dilation, height);
        const std::int64_t index = ((static_cast<std::int64_t>(h) * blocks_ + o / block) * rows_ + y) * block;
        by_row_[static_cast<std::size_t>(index + o % block)] = static_cast<float>(term);
      }
    }
  }
}

void CoordinateTerm::apply(const Tensor& out, bool add) const {
  const std::int64_t lines = out.batch * blocks_ * rows_;
  ParallelFailure failure;
#pragma omp parallel
  {
    std::vector<float> line;
#pragma omp for
    for (std::int64_t i = 0; i < lines; ++i) {
      failure.guard([&] {
        if (out.type == DataType::bf16) line.resize(static_cast<std::size_t>(columns_ * block_));
        const std::int64_t b = i / (blocks_ * rows_), k = i / rows_ % blocks_, y = i % rows_;
        const std::int64_t v = row_class_[static_cast<std::size_t>(y)];
        const float* column = by_column_.data() + (v * blocks_ + k) * columns_ * block_;
        const std::int64_t first = b * out.batch_stride + k * out.block_stride + y * out.width * out.pixel_stride;
        for (std::int64_t x = 0; x < columns_;) {
          const int h = column_class_[static_cast<std::size_t>(x)];
          std::int64_t end = x + 1;
          while (end < columns_ && column_class_[static_cast<std::size_t>(end)] == h) ++end;
          const float* row = by_row_.data() + ((h * blocks_ + k) * rows_ + y) * block_;
          if (out.type == DataType::bf16) {
            auto* to = out.as<std::uint16_t>() + first + x * block_;
            const std::int64_t n = (end - x) * block_;
            for (std::int64_t j = 0; j < n; ++j)
              line[static_cast<std::size_t>(j)] = add ? float_from_bf16(to[j]) : 0.0f;
            add_row(column + x * block_, row, end - x, block_, line.data());
            for (std::int64_t j = 0; j < n; ++j) to[j] = bf16_from_float(line[static_cast<std::size_t>(j)]);
          } else {
            float* to = out.as<float>() + first + x * block_;
            (add ? add_row : write_row)(column + x * block_, row, end - x, block_, to);
          }
          x = end;
        }
      });
    }
  }
  failure.rethrow();
}

}  // namespace maskrt::kernels
