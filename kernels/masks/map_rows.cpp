#include "map_rows.h"

#include <algorithm>
#include <utility>

#include "kernels/cpu/rows.h"

namespace maskrt::kernels {
namespace {

MASKRT_CLONES void scale(const float* in, float weight, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] = in[i] * weight;
}

MASKRT_CLONES void add_scaled(const float* in, float weight, int n, float* out) {
  for (int i = 0; i < n; ++i) out[i] += in[i] * weight;
}

/// out[i] = sum over k < taps of in[index[k][i]] * weight[k][i]
template <int taps>
[[gnu::always_inline]] inline void gather(const float* in, const std::int32_t* const (&index)[ComposedTaps::kMost],
                                          const float* const (&weight)[ComposedTaps::kMost], int first, int last,
                                          float* out) {
  for (int i = first; i < last; ++i) {
    float sum = in[index[0][i]] * weight[0][i];
    for (int k = 1; k < taps; ++k) sum += in[index[k][i]] * weight[k][i];
    out[i] = sum;
  }
}

MASKRT_CLONES void gather_row(const float* in, const std::int32_t* const (&index)[ComposedTaps::kMost],
                              const float* const (&weight)[ComposedTaps::kMost], int taps, int first, int last,
                              float* out) {
  if (taps <= 1) {
    gather<1>(in, index, weight, first, last, out);
  } else if (taps == 2) {
    gather<2>(in, index, weight, first, last, out);
  } else if (taps == 3) {
    gather<3>(in, index, weight, first, last, out);
  } else {
    gather<4>(in, index, weight, first, last, out);
  }
}

}  // namespace

MapRows::MapRows(int width, int height, ComposedTaps across, ComposedTaps down)
    : in_width_(width), in_height_(height), across_(std::move(across)), down_(std::move(down)) {
  for (std::size_t x = 0; x < across_.index[0].size(); ++x) {
    std::int32_t lowest = across_.index[0][x], highest = lowest;
    for (int k = 1; k < across_.used; ++k) {
      lowest = std::min(lowest, across_.index[static_cast<std::size_t>(k)][x]);
      highest = std::max(highest, across_.index[static_cast<std::size_t>(k)][x]);
    }
    lowest_.push_back(lowest);
    highest_.push_back(highest);
  }
}

void MapRows::blend(const float* map, std::ptrdiff_t stride, int y, float* out, int first_row) const {
  const auto at = static_cast<std::size_t>(y);
  const auto row = [&](std::size_t k) { return map + (down_.index[k][at] - first_row) * stride; };
  scale(row(0), down_.weight[0][at], in_width_, out);
  for (std::size_t k = 1; k < static_cast<std::size_t>(down_.used); ++k)
    if (down_.weight[k][at] != 0) add_scaled(row(k), down_.weight[k][at], in_width_, out);
}

void MapRows::expand(const float* blended, int first, int last, float* out) const {
  const std::int32_t* index[ComposedTaps::kMost];
  const float* weight[ComposedTaps::kMost];
  for (std::size_t k = 0; k < ComposedTaps::kMost; ++k) {
    index[k] = across_.index[k].data();
    weight[k] = across_.weight[k].data();
  }
  gather_row(blended, index, weight, across_.used, first, last, out);
}

MapRows::Span MapRows::rows_of(int y) const {
  const auto at = static_cast<std::size_t>(y);
  std::int32_t first = down_.index[0][at], last = first;
  for (std::size_t k = 1; k < static_cast<std::size_t>(down_.used); ++k) {
    first = std::min(first, down_.index[k][at]);
    last = std::max(last, down_.index[k][at]);
  }
  return {first, last - first + 1};
}

MapRows::Columns MapRows::reached_by(Columns columns) const {
  const auto first = std::lower_bound(highest_.begin(), highest_.end(), columns.first);
  const auto last = std::lower_bound(lowest_.begin(), lowest_.end(), columns.last);
  return {static_cast<int>(first - highest_.begin()), static_cast<int>(last - lowest_.begin())};
}

}  // namespace maskrt::kernels
