// What the tests of deformable convolutions try, on the CPU and on the GPU.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/deform/deform_conv.h"
#include "kernels/element.h"
#include "map_shape.h"

namespace maskrt::testing {

enum class Offsets : std::uint8_t {
  none,   ///< zeros: a plain convolution
  near,   ///< within three pixels, as networks learn them
  whole,  ///< whole pixels, up to one beyond each border and more: where the four neighbours change
  wild,   ///< anywhere around the map; one in eight is huge, infinite or no number
};

struct DeformConvCase {
  MapShape in;
  std::int64_t out_channels;
  kernels::DeformGeometry geometry;
  Offsets offsets = Offsets::near;
  bool bias = true;
  kernels::Activation activation = kernels::Activation::none;

  MapShape out() const {
    const kernels::ConvGeometry& g = geometry.conv;
    return {in.batch, kernels::conv_output_size(in.height, g.kernel_height, g),
            kernels::conv_output_size(in.width, g.kernel_width, g), out_channels};
  }
  MapShape offset_shape() const {
    const MapShape o = out();
    return {o.batch, o.height, o.width, geometry.offset_channels()};
  }
  /// Products that an output sums up.
  std::int64_t fan_in() const { return in.channels / geometry.conv.groups * geometry.taps(); }
};

inline std::ostream& operator<<(std::ostream& stream, const DeformConvCase& c) {
  const kernels::ConvGeometry& g = c.geometry.conv;
  return stream << c.in << " to " << c.out_channels << ", " << g.kernel_height << "x" << g.kernel_width << " stride "
                << g.stride << " padding " << g.padding << " dilation " << g.dilation << " groups " << g.groups
                << " offset groups " << c.geometry.offset_groups << (c.geometry.modulated ? " modulated" : "")
                << " offsets " << static_cast<int>(c.offsets) << " activation " << static_cast<int>(c.activation);
}

/// Negative slope of leaky ReLU in these cases.
inline constexpr float kDeformSlope = 0.1f;

/// 1, primes, around blocks and tiles; batches; groups of channels and of offsets that cut blocks; strides, paddings
/// and dilations that leave the map; kernels that are not square; layers of R-50, cut.
inline const std::vector<DeformConvCase> deform_conv_cases = {
    {{1, 1, 1, 1}, 1, {{1, 1, 1, 0, 1, 1}}, Offsets::none},
    {{1, 1, 1, 1}, 1, {{3, 3, 1, 1, 1, 1}}, Offsets::near, false},
    {{1, 1, 1, 16}, 16, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::near},
    {{1, 5, 7, 8}, 8, {{3, 3, 1, 1, 1, 1}, 1, false}, Offsets::none},
    {{1, 5, 7, 8}, 8, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::whole},
    {{2, 3, 5, 7}, 11, {{3, 3, 1, 1, 1, 1}, 1, false}, Offsets::wild},
    {{2, 3, 5, 7}, 11, {{3, 3, 1, 1, 1, 1}, 7, true}, Offsets::wild, true, kernels::Activation::relu},
    {{3, 11, 13, 17}, 33, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::near},
    {{1, 17, 15, 31}, 15, {{3, 3, 2, 1, 1, 1}, 1, false}, Offsets::whole, false, kernels::Activation::relu},
    {{2, 9, 8, 24}, 36, {{3, 3, 1, 2, 2, 12}, 3, true}, Offsets::near, true, kernels::Activation::leaky_relu},
    {{1, 8, 9, 32}, 48, {{3, 3, 1, 1, 1, 2}, 4, false}, Offsets::wild},
    {{1, 7, 6, 12}, 12, {{3, 3, 1, 1, 1, 12}, 12, true}, Offsets::near},
    {{1, 13, 4, 20}, 16, {{5, 3, 3, 4, 1, 1}, 5, false}, Offsets::whole},
    {{1, 4, 33, 48}, 16, {{1, 7, 1, 3, 1, 1}, 3, true}, Offsets::wild, true, kernels::Activation::leaky_relu},
    {{1, 6, 31, 15}, 65, {{3, 3, 1, 4, 4, 1}, 1, true}, Offsets::near},
    {{1, 2, 2, 16}, 16, {{3, 3, 1, 7, 1, 1}, 1, true}, Offsets::near},
    {{1, 40, 3, 16}, 17, {{3, 3, 2, 1, 2, 1}, 2, false}, Offsets::near},
    {{1, 20, 27, 64}, 64, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::near, true, kernels::Activation::relu},
    {{2, 10, 13, 128}, 96, {{3, 3, 2, 1, 1, 1}, 1, true}, Offsets::near},
    {{1, 6, 7, 256}, 256, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::wild, true, kernels::Activation::relu},
    {{1, 5, 6, 64}, 64, {{3, 3, 1, 1, 1, 32}, 1, false}, Offsets::near},
};

/// Fills the offsets of a case, modulations within [-4, 4) among them.
inline void fill_offsets(const DeformConvCase& c, const kernels::Tensor& offsets, unsigned seed) {
  std::mt19937 engine(seed);
  const auto between = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine); };
  const float reach = static_cast<float>(std::max(c.in.height, c.in.width)) + 3;
  const std::int64_t positions = 2 * c.geometry.taps() * c.geometry.offset_groups;
  kernels::for_each_element(offsets, [&](auto b, auto y, auto x, auto channel) {
    float value = 0;
    if (channel >= positions) {
      value = between(-4, 4);
    } else if (c.offsets == Offsets::near) {
      value = between(-3, 3);
    } else if (c.offsets == Offsets::whole) {
      value = std::floor(between(-4, 5));
    } else if (c.offsets == Offsets::wild) {
      constexpr float infinity = std::numeric_limits<float>::infinity();
      const float odd[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 1e30f, -1e30f,
                           3e9f,     -3e9f,     std::numeric_limits<float>::max()};
      value = between(-reach, reach);
      if (between(0, 8) < 1) value = odd[engine() % 8];
    }
    kernels::set(offsets, b, y, x, channel, value);
  });
}

/// The largest error of each output channel before its activation, of a kernel that finds positions and sums in fp32,
/// where inputs lie within [-1, 1] and samples are rounded to `sample_unit` of their size. A position is off by a
/// rounding of its size, and the map has a slope of 2 a pixel along each axis; the sample itself takes some ten
/// roundings. Sums of n products in any order are within about sqrt(n) units of the sum of their magnitudes.
inline std::vector<double> deform_conv_errors(const DeformConvCase& c, const std::vector<float>& weight,
                                              const std::vector<float>& bias, double sample_unit) {
  constexpr double unit = 0x1p-24;
  const auto reach = static_cast<double>(std::max(c.in.height, c.in.width) + 1);
  const double of_sample = sample_unit + unit * (2 * 2 * reach + 10);
  const std::int64_t n = c.fan_in();
  std::vector<double> errors;
  for (std::int64_t o = 0; o < c.out_channels; ++o) {
    double magnitude = 0;
    for (std::int64_t i = 0; i < n; ++i)
      magnitude += std::abs(static_cast<double>(weight[static_cast<std::size_t>(o * n + i)]));
    const double added = bias.empty() ? 0 : std::abs(static_cast<double>(bias[static_cast<std::size_t>(o)]));
    errors.push_back(magnitude * of_sample + unit * (4 + std::sqrt(static_cast<double>(n))) * (magnitude + added));
  }
  return errors;
}

}  // namespace maskrt::testing
