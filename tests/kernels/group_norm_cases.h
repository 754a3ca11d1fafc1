// What the tests of group norms try.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/element.h"
#include "kernels/norm/group_norm.h"
#include "map_shape.h"

namespace maskrt::testing {

struct GroupNormCase {
  MapShape in;
  int groups;
  double epsilon = 1e-5;
  kernels::Activation activation = kernels::Activation::none;
  float mean = 0;  ///< numbers lie within 1 of it
};

inline std::ostream& operator<<(std::ostream& stream, const GroupNormCase& c) {
  return stream << c.in << ", " << c.groups << " groups, epsilon " << c.epsilon << ", activation "
                << static_cast<int>(c.activation) << ", around " << c.mean;
}

/// Negative slope of leaky ReLU in these cases.
inline constexpr float kGroupNormSlope = 0.1f;

/// 1, primes, around blocks, vectors and tiles of 256 pixels; groups of one channel, of all, and of some that are no
/// whole block; means that are large beside what the numbers differ by; levels of FastInst's pixel decoder, cut.
inline const std::vector<GroupNormCase> group_norm_cases = {
    {{1, 1, 1, 1}, 1},
    {{2, 3, 5, 1}, 1, 1e-5, kernels::Activation::none, 3},
    {{1, 1, 1, 16}, 16},
    {{1, 1, 1, 16}, 1},
    {{2, 3, 5, 7}, 7, 1e-5, kernels::Activation::relu},
    {{2, 3, 5, 6}, 2, 0.1, kernels::Activation::leaky_relu},
    {{3, 11, 3, 9}, 3, 1e-5, kernels::Activation::sigmoid, -1},
    {{1, 15, 17, 15}, 5},
    {{1, 16, 16, 17}, 1, 1e-5, kernels::Activation::none, 10},
    {{2, 1, 257, 16}, 4, 1e-5, kernels::Activation::gelu},
    {{1, 31, 33, 31}, 31, 1e-6},
    {{1, 13, 19, 33}, 11, 1e-5, kernels::Activation::relu},
    {{2, 20, 27, 32}, 8, 1e-6, kernels::Activation::none, -50},
    {{1, 7, 9, 100}, 10},
    {{1, 5, 7, 255}, 15},
    {{1, 3, 4, 257}, 1, 1e-5, kernels::Activation::none, 100},
    {{2, 4, 5, 320}, 32, 1e-5, kernels::Activation::relu},
    {{1, 20, 27, 256}, 32, 1e-5, kernels::Activation::relu},
    {{1, 1, 2, 1034}, 2},
};

/// The largest error of an output, whose weight and bias are within [-1, 1], of a kernel that sums the numbers of a
/// channel in fp32 over at most 256 pixels and all else in double: the mean's error and that of each difference,
/// divided by the deviation, and what the rest rounds. GELU's slope is 1.13 at most; activations round a few times
/// themselves. `in` are the numbers of the case, as stored.
class GroupNormError {
 public:
  GroupNormError(const GroupNormCase& c, const kernels::Tensor& in) : case_(c), in_(in) {
    const std::int64_t channels = in.channels / c.groups;
    const auto n = static_cast<double>(in.height * in.width * channels);
    groups_.resize(static_cast<std::size_t>(in.batch * c.groups));
    const auto value = [&](auto b, auto y, auto x, auto i) {
      return static_cast<double>(kernels::get(in, b, y, x, i));
    };
    kernels::for_each_element(in, [&](auto b, auto y, auto x, auto i) {
      Group& group = of(b, i);
      group.mean += value(b, y, x, i) / n;
      group.largest = std::max(group.largest, std::abs(value(b, y, x, i)));
    });
    kernels::for_each_element(in, [&](auto b, auto y, auto x, auto i) {
      const double distance = value(b, y, x, i) - of(b, i).mean;
      of(b, i).variance += distance * distance / n;
    });
  }

  double operator()(std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t channel) const {
    constexpr double unit = 0x1p-24;
    const Group& group = const_cast<GroupNormError*>(this)->of(b, channel);
    const double pixels = std::min<double>(256, static_cast<double>(in_.height * in_.width));
    const bool one = in_.height * in_.width * (in_.channels / case_.groups) == 1;
    const double deviation = std::sqrt(group.variance + case_.epsilon);
    const double of_mean = one ? 0 : unit * (3 + std::sqrt(pixels)) * group.largest;
    const double normal = std::abs(static_cast<double>(kernels::get(in_, b, y, x, channel)) - group.mean) / deviation;
    // The deviation is off by the mean's error as well, at most in proportion.
    const double of_normal = of_mean / deviation * (1 + normal) + unit * (6 + std::sqrt(pixels)) * normal;
    return 1.13 * of_normal + 8 * unit * (normal + 1);
  }

 private:
  struct Group {
    double mean = 0, variance = 0, largest = 0;
  };
  Group& of(std::int64_t b, std::int64_t channel) {
    return groups_[static_cast<std::size_t>(b * case_.groups + channel / (in_.channels / case_.groups))];
  }
  GroupNormCase case_;
  kernels::Tensor in_;
  std::vector<Group> groups_;
};

}  // namespace maskrt::testing
