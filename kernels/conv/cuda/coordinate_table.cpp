#include "coordinate_table.h"

#include <cstdint>
#include <cstring>
#include <map>

#include "conv_params.h"

namespace maskrt::kernels {
namespace {

/// The border cases of one axis: for each output position its case, for each case the taps inside of the map (bit k:
/// tap k).
struct Axis {
  std::vector<std::int32_t> case_of;
  std::vector<std::uint64_t> taps;
};

Axis cases_of(std::int64_t size, int kernel, const ConvGeometry& g) {
  Axis axis;
  std::map<std::uint64_t, std::int32_t> known;
  for (std::int64_t o = 0; o < conv_output_size(size, kernel, g); ++o) {
    std::uint64_t inside = 0;
    for (int k = 0; k < kernel; ++k) {
      const std::int64_t at = o * g.stride - g.padding + k * g.dilation;
      if (at >= 0 && at < size) inside |= std::uint64_t{1} << k;
    }
    const auto [entry, is_new] = known.emplace(inside, static_cast<std::int32_t>(axis.taps.size()));
    if (is_new) axis.taps.push_back(inside);
    axis.case_of.push_back(entry->second);
  }
  return axis;
}

/// coordinate(position) = origin + step * position
struct Line {
  double origin, step;
};
Line line_of(std::int64_t size) { return {-1.0, size > 1 ? 2.0 / static_cast<double>(size - 1) : 0.0}; }

}  // namespace

CoordinateTable make_coordinate_table(const ConvGeometry& g, DataType type, const float* weight,
                                      std::int64_t out_channels, std::int64_t height, std::int64_t width) {
  const int kh = g.kernel_height, kw = g.kernel_width;
  const Axis rows = cases_of(height, kh, g), columns = cases_of(width, kw, g);
  const std::size_t heading = (rows.case_of.size() + columns.case_of.size() + 3) / 4 * 4;
  const auto channels = static_cast<std::size_t>((out_channels + 7) / 8 * 8);
  std::vector<std::int32_t> head(heading, 0);
  for (std::size_t y = 0; y < rows.case_of.size(); ++y)
    head[y] = rows.case_of[y] * static_cast<std::int32_t>(columns.taps.size());
  for (std::size_t x = 0; x < columns.case_of.size(); ++x) head[rows.case_of.size() + x] = columns.case_of[x];

  std::vector<float> affine(rows.taps.size() * columns.taps.size() * 3 * channels, 0.0f);
  const Line of_x = line_of(width), of_y = line_of(height);
  for (std::size_t v = 0; v < rows.taps.size(); ++v) {
    for (std::size_t h = 0; h < columns.taps.size(); ++h) {
      float* const a = affine.data() + (v * columns.taps.size() + h) * 3 * channels;
      for (std::int64_t o = 0; o < out_channels; ++o) {
        double constant = 0, by_x = 0, by_y = 0;
        for (int ky = 0; ky < kh; ++ky) {
          for (int kx = 0; kx < kw; ++kx) {
            if ((rows.taps[v] >> ky & 1) == 0 || (columns.taps[h] >> kx & 1) == 0) continue;
            const double wx = weight[((o * 2) * kh + ky) * kw + kx], wy = weight[((o * 2 + 1) * kh + ky) * kw + kx];
            constant += wx * (of_x.origin + of_x.step * (kx * g.dilation - g.padding)) +
                        wy * (of_y.origin + of_y.step * (ky * g.dilation - g.padding));
            by_x += wx * of_x.step * g.stride;
            by_y += wy * of_y.step * g.stride;
          }
        }
        float* const place =
            a + coordinate_index(static_cast<int>(o), static_cast<int>(channels), type == DataType::f32);
        place[0] = static_cast<float>(constant);
        place[channels] = static_cast<float>(by_x);
        place[2 * channels] = static_cast<float>(by_y);
      }
    }
  }
  CoordinateTable table;
  table.bytes.resize((head.size() + affine.size()) * 4);
  std::memcpy(table.bytes.data(), head.data(), head.size() * 4);
  std::memcpy(table.bytes.data() + head.size() * 4, affine.data(), affine.size() * 4);
  return table;
}

}  // namespace maskrt::kernels
