#include "winograd_weights.h"

#include <array>

namespace maskrt::kernels {
namespace {

constexpr int kBlock = 16, kTaps = 9, kSide = 6;

/// oneDNN's G, whose points are 0, 1.25 and 0.625 with both signs, and infinity.
constexpr float kG[kSide][3] = {{1.13777777777778f, 0.0f, 0.0f},
                                {-0.688403361344538f, -0.430252100840336f, -0.26890756302521f},
                                {-0.688403361344538f, 0.430252100840336f, -0.26890756302521f},
                                {0.119514472455649f, 0.179271708683473f, 0.26890756302521f},
                                {0.119514472455649f, -0.179271708683473f, 0.26890756302521f},
                                {0.0f, 0.0f, 1.0f}};

using Lane = std::array<float, kBlock>;  // one element of each of 16 output channels

/// Transforms the filters of one input channel and 16 output channels; writes 16 numbers at to[(row * 6 + column) *
/// stride].
void transform(const Lane (&w)[3][3], float* to, std::int64_t stride) {
  Lane half[kSide][3];  // G w
  for (int row = 0; row < kSide; ++row)
    for (int x = 0; x < 3; ++x)
#pragma omp simd
      for (int o = 0; o < kBlock; ++o)
        half[row][x][o] = kG[row][0] * w[0][x][o] + kG[row][1] * w[1][x][o] + kG[row][2] * w[2][x][o];
  for (int row = 0; row < kSide; ++row) {
    for (int column = 0; column < kSide; ++column) {
      float* const out = to + (row * kSide + column) * stride;
#pragma omp simd
      for (int o = 0; o < kBlock; ++o)
        out[o] = kG[column][0] * half[row][0][o] + kG[column][1] * half[row][1][o] + kG[column][2] * half[row][2][o];
    }
  }
}

}  // namespace

bool winograd_weights(const float* weight, std::int64_t out_channels, std::int64_t in_channels,
                      const dnnl::memory::desc& layout, float* prepared) {
  if (layout.data.format_kind != dnnl_format_kind_wino) return false;
  const dnnl_wino_desc_t& wino = layout.data.format_desc.wino_desc;
  if (wino.wino_format != dnnl_wino_wei_OBaaIBOIio || wino.r != 3 || wino.alpha != kSide || wino.ic != in_channels ||
      wino.oc != out_channels || wino.ic_block != kBlock || wino.oc_block != kBlock)
    return false;
  const std::int64_t i2 = wino.ic2_block, o2 = wino.oc2_block;
  const std::int64_t in_blocks = in_channels / kBlock, out_blocks = out_channels / kBlock, filter = kBlock * kBlock;
#pragma omp parallel for schedule(static)
  for (std::int64_t ob = 0; ob < out_blocks; ++ob) {
    for (std::int64_t ib = 0; ib < in_blocks; ++ib) {
      // Elements from one of the 36 transformed positions to the next.
      const std::int64_t stride = in_blocks * o2 * filter;
      float* const to =
          prepared + (ob / o2) * kSide * kSide * stride + ((ib / i2 * o2 + ob % o2) * i2 + ib % i2) * filter;
      for (int i = 0; i < kBlock; ++i) {
        Lane w[3][3];
        for (int o = 0; o < kBlock; ++o) {
          const float* from = weight + ((ob * kBlock + o) * in_channels + ib * kBlock + i) * kTaps;
          for (int tap = 0; tap < kTaps; ++tap) w[tap / 3][tap % 3][static_cast<std::size_t>(o)] = from[tap];
        }
        transform(w, to + i * kBlock, stride);
      }
    }
  }
  return true;
}

}  // namespace maskrt::kernels
