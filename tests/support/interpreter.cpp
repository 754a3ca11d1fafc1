#include "interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace maskrt::testing {
namespace {

using namespace maskrt::graph;
using std::int64_t;

double activated(double value, Activation activation) {
  switch (activation) {
    case Activation::none:
      return value;
    case Activation::relu:
      return std::max(value, 0.0);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-value));
    case Activation::leaky_relu:
      return value > 0 ? value : value * static_cast<double>(kLeakySlope);
    case Activation::gelu:
      return value / 2 * std::erfc(-value / std::numbers::sqrt2);
  }
  throw Error("expected a known activation");
}

std::vector<float> numbers(const ConstantPtr& constant) {
  return constant ? constant->evaluate() : std::vector<float>();
}

/// f(b, y, x, c) for each element.
template <typename F>
void for_each(const Extent& e, F&& f) {
  for (int64_t b = 0; b < e.batch; ++b)
    for (int64_t y = 0; y < e.height; ++y)
      for (int64_t x = 0; x < e.width; ++x)
        for (int64_t c = 0; c < e.channels; ++c) f(b, y, x, c);
}

/// out[i] of n positions from -1 to 1 inclusive, as linspace defines them.
double coordinate(int64_t i, int64_t n) {
  return n == 1 ? -1.0 : -1.0 + 2.0 * static_cast<double>(i) / static_cast<double>(n - 1);
}

/// One output axis of a bilinear resize.
struct Tap {
  int64_t low, high;
  double fraction;
};
Tap tap(int64_t i, double step, int64_t n) {
  const double source = std::max((static_cast<double>(i) + 0.5) * step - 0.5, 0.0);
  const int64_t low = std::min(static_cast<int64_t>(source), n - 1);
  return {low, std::min(low + 1, n - 1), source - static_cast<double>(low)};
}

void add_resized(const Map& x, double step_y, double step_x, Map& out) {
  for_each(out.extent, [&](int64_t b, int64_t oy, int64_t ox, int64_t c) {
    const auto v = tap(oy, step_y, x.extent.height), h = tap(ox, step_x, x.extent.width);
    const double top = x(b, v.low, h.low, c) * (1 - h.fraction) + x(b, v.low, h.high, c) * h.fraction;
    const double bottom = x(b, v.high, h.low, c) * (1 - h.fraction) + x(b, v.high, h.high, c) * h.fraction;
    out(b, oy, ox, c) += top * (1 - v.fraction) + bottom * v.fraction;
  });
}

/// maps^T x features.
Map aggregate(const Map& maps, const Map& features, const Extent& extent) {
  Map out = zeros(extent);
  for_each(maps.extent, [&](int64_t b, int64_t y, int64_t x, int64_t m) {
    for (int64_t c = 0; c < features.extent.channels; ++c) out(b, m, 0, c) += maps(b, y, x, m) * features(b, y, x, c);
  });
  return out;
}

/// The sum over the positions of each map, of f applied to each of its numbers.
template <typename F>
std::vector<double> map_sums(const Map& maps, F&& f) {
  std::vector<double> sums(static_cast<std::size_t>(maps.extent.batch * maps.extent.channels));
  for_each(maps.extent, [&](int64_t b, int64_t y, int64_t x, int64_t c) {
    sums[static_cast<std::size_t>(b * maps.extent.channels + c)] += f(b, c, maps(b, y, x, c));
  });
  return sums;
}

Map normalised(const Map& maps, double epsilon) {
  const auto sums = map_sums(maps, [](int64_t, int64_t, double value) { return value; });
  Map out = maps;
  for_each(maps.extent, [&](int64_t b, int64_t y, int64_t x, int64_t c) {
    out(b, y, x, c) /= std::max(sums[static_cast<std::size_t>(b * maps.extent.channels + c)], epsilon);
  });
  return out;
}

Map softmax(const Map& maps) {
  std::vector<double> most(static_cast<std::size_t>(maps.extent.batch * maps.extent.channels),
                           -std::numeric_limits<double>::infinity());
  const auto at = [&](int64_t b, int64_t c) { return static_cast<std::size_t>(b * maps.extent.channels + c); };
  for_each(maps.extent, [&](int64_t b, int64_t y, int64_t x, int64_t c) {
    most[at(b, c)] = std::max(most[at(b, c)], maps(b, y, x, c));
  });
  const auto sums =
      map_sums(maps, [&](int64_t b, int64_t c, double value) { return std::exp(value - most[at(b, c)]); });
  Map out = maps;
  for_each(maps.extent, [&](int64_t b, int64_t y, int64_t x, int64_t c) {
    out(b, y, x, c) = std::exp(maps(b, y, x, c) - most[at(b, c)]) / sums[at(b, c)];
  });
  return out;
}

class Interpreter {
 public:
  Interpreter(const Node& node, const std::vector<Map>& values, const std::vector<Extent>& extents)
      : node_(node), values_(values), outs_(all_zeros(node, extents)), out_(outs_[0]) {}

  std::vector<Map> run() {
    std::visit([this](const auto& kind) { apply(kind); }, node_.operation);
    return std::move(outs_);
  }

 private:
  const Node& node_;
  const std::vector<Map>& values_;
  std::vector<Map> outs_;
  Map& out_;  ///< the first, and that of an operation that makes one

  static std::vector<Map> all_zeros(const Node& node, const std::vector<Extent>& extents) {
    std::vector<Map> maps;
    for (const ValueId value : node.outputs) maps.push_back(zeros(extents.at(static_cast<std::size_t>(value))));
    return maps;
  }
  const Map& in(std::size_t i) const { return values_[static_cast<std::size_t>(node_.inputs.at(i))]; }
  /// out = f(b, y, x, c) everywhere.
  template <typename F>
  void fill(F&& f) {
    for_each(out_.extent, [&](int64_t b, int64_t y, int64_t x, int64_t c) { out_(b, y, x, c) = f(b, y, x, c); });
  }

  void apply(const Input&) { throw Error("expected the input's numbers from the caller"); }

  void apply(const Conv& conv) {
    const auto& x = in(0);
    const auto weight = numbers(conv.weight), bias = numbers(conv.bias), coordinates = numbers(conv.coordinate_weight);
    const auto& shape = conv.weight->shape();
    const int64_t inputs = shape[1], kh = shape[2], kw = shape[3], outputs_per_group = shape[0] / conv.groups;
    fill([&](int64_t b, int64_t oy, int64_t ox, int64_t o) {
      double sum = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<std::size_t>(o)]);
      const int64_t first = o / outputs_per_group * inputs;
      for (int64_t ky = 0; ky < kh; ++ky)
        for (int64_t kx = 0; kx < kw; ++kx) {
          const int64_t iy = oy * conv.stride - conv.padding + ky * conv.dilation;
          const int64_t ix = ox * conv.stride - conv.padding + kx * conv.dilation;
          if (iy < 0 || iy >= x.extent.height || ix < 0 || ix >= x.extent.width) continue;
          for (int64_t i = 0; i < inputs; ++i)
            sum += x(b, iy, ix, first + i) *
                   static_cast<double>(weight[static_cast<std::size_t>(((o * inputs + i) * kh + ky) * kw + kx)]);
          if (coordinates.empty()) continue;
          const auto share = [&](int64_t i) {
            return static_cast<double>(coordinates[static_cast<std::size_t>(((o * 2 + i) * kh + ky) * kw + kx)]);
          };
          sum += share(0) * coordinate(ix, x.extent.width) + share(1) * coordinate(iy, x.extent.height);
        }
      if (conv.residual) sum += in(1)(b, oy / conv.residual_scale, ox / conv.residual_scale, o);
      return activated(sum, conv.activation);
    });
  }

  void apply(const BatchNorm& norm) {
    const auto weight = numbers(norm.weight), bias = numbers(norm.bias), mean = numbers(norm.mean),
               variance = numbers(norm.variance);
    fill([&](int64_t b, int64_t y, int64_t x, int64_t c) {
      const auto i = static_cast<std::size_t>(c);
      return (in(0)(b, y, x, c) - static_cast<double>(mean[i])) /
                 std::sqrt(static_cast<double>(variance[i]) + norm.epsilon) * static_cast<double>(weight[i]) +
             static_cast<double>(bias[i]);
    });
  }

  void apply(const Activate& op) {
    fill([&](int64_t b, int64_t y, int64_t x, int64_t c) { return activated(in(0)(b, y, x, c), op.activation); });
  }

  void apply(const Add&) {
    fill([&](int64_t b, int64_t y, int64_t x, int64_t c) { return in(0)(b, y, x, c) + in(1)(b, y, x, c); });
  }

  void apply(const MaxPool& pool) {
    const auto& x = in(0);
    fill([&](int64_t b, int64_t oy, int64_t ox, int64_t c) {
      double most = -std::numeric_limits<double>::infinity();
      for (int64_t iy = oy * pool.stride - pool.padding; iy < oy * pool.stride - pool.padding + pool.kernel; ++iy)
        for (int64_t ix = ox * pool.stride - pool.padding; ix < ox * pool.stride - pool.padding + pool.kernel; ++ix)
          if (iy >= 0 && iy < x.extent.height && ix >= 0 && ix < x.extent.width) most = std::max(most, x(b, iy, ix, c));
      return most;
    });
  }

  void apply(const AdaptiveAveragePool& pool) {
    const auto& x = in(0);
    const auto begin = [&](int64_t i, int64_t n) { return i * n / pool.size; };
    const auto end = [&](int64_t i, int64_t n) { return ((i + 1) * n + pool.size - 1) / pool.size; };
    fill([&](int64_t b, int64_t oy, int64_t ox, int64_t c) {
      double sum = 0;
      int64_t count = 0;
      for (int64_t iy = begin(oy, x.extent.height); iy < end(oy, x.extent.height); ++iy)
        for (int64_t ix = begin(ox, x.extent.width); ix < end(ox, x.extent.width); ++ix, ++count)
          sum += x(b, iy, ix, c);
      return sum / static_cast<double>(count);
    });
  }

  void apply(const AveragePool& pool) {
    const auto& x = in(0);
    fill([&](int64_t b, int64_t oy, int64_t ox, int64_t c) {
      double sum = 0;
      int64_t count = 0;
      for (int64_t iy = oy * pool.stride; iy < std::min(oy * pool.stride + pool.kernel, x.extent.height); ++iy)
        for (int64_t ix = ox * pool.stride; ix < std::min(ox * pool.stride + pool.kernel, x.extent.width);
             ++ix, ++count)
          sum += x(b, iy, ix, c);
      return sum / static_cast<double>(count);
    });
  }

  /// x at a point between pixels, with zeros beyond the map.
  static double sample(const Map& map, int64_t b, double y, double x, int64_t c) {
    const auto height = static_cast<double>(map.extent.height), width = static_cast<double>(map.extent.width);
    if (!(y > -1 && y < height && x > -1 && x < width)) return 0;
    const double top = std::floor(y), left = std::floor(x);
    const auto at = [&](double v, double u) {
      const bool inside = v >= 0 && v < height && u >= 0 && u < width;
      return inside ? map(b, static_cast<int64_t>(v), static_cast<int64_t>(u), c) : 0.0;
    };
    const double fy = y - top, fx = x - left;
    return (at(top, left) * (1 - fx) + at(top, left + 1) * fx) * (1 - fy) +
           (at(top + 1, left) * (1 - fx) + at(top + 1, left + 1) * fx) * fy;
  }

  void apply(const DeformConv& conv) {
    const auto &x = in(0), &offsets = in(1);
    const auto weight = numbers(conv.weight), bias = numbers(conv.bias);
    const auto& shape = conv.weight->shape();
    const int64_t inputs = shape[1], taps = shape[2] * shape[3], outputs_per_group = shape[0] / conv.groups;
    const int64_t part = inputs * conv.groups / conv.offset_groups;
    fill([&](int64_t b, int64_t oy, int64_t ox, int64_t o) {
      double sum = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<std::size_t>(o)]);
      const int64_t first = o / outputs_per_group * inputs;
      for (int64_t i = 0; i < inputs; ++i)
        for (int64_t t = 0; t < taps; ++t) {
          const int64_t d = (first + i) / part, at = 2 * taps * d + 2 * t;
          const double y = static_cast<double>(oy * conv.stride - conv.padding + t / shape[3] * conv.dilation);
          const double u = static_cast<double>(ox * conv.stride - conv.padding + t % shape[3] * conv.dilation);
          double sampled = sample(x, b, y + offsets(b, oy, ox, at), u + offsets(b, oy, ox, at + 1), first + i);
          if (conv.modulated)
            sampled *= activated(offsets(b, oy, ox, 2 * taps * conv.offset_groups + taps * d + t), Activation::sigmoid);
          sum += sampled * static_cast<double>(weight[static_cast<std::size_t>((o * inputs + i) * taps + t)]);
        }
      return activated(sum, conv.activation);
    });
  }

  void apply(const LayerNorm& norm) {
    const auto weight = numbers(norm.weight), bias = numbers(norm.bias);
    const auto& x = in(0);
    const auto channels = static_cast<double>(x.extent.channels);
    // Of the position that comes next: for_each has channels innermost.
    double mean = 0, deviation = 0;
    fill([&](int64_t b, int64_t v, int64_t u, int64_t c) {
      if (c == 0) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < x.extent.channels; ++i) sum += x(b, v, u, i);
        mean = sum / channels;
        for (int64_t i = 0; i < x.extent.channels; ++i) squares += (x(b, v, u, i) - mean) * (x(b, v, u, i) - mean);
        deviation = std::sqrt(squares / channels + norm.epsilon);
      }
      const auto i = static_cast<std::size_t>(c);
      return activated(
          (x(b, v, u, c) - mean) / deviation * static_cast<double>(weight[i]) + static_cast<double>(bias[i]),
          norm.activation);
    });
  }

  void apply(const GroupNorm& norm) {
    const auto weight = numbers(norm.weight), bias = numbers(norm.bias);
    const auto& x = in(0);
    const int64_t channels = x.extent.channels / norm.groups;
    const auto count = static_cast<double>(x.extent.height * x.extent.width * channels);
    for (int64_t b = 0; b < x.extent.batch; ++b)
      for (int64_t g = 0; g < norm.groups; ++g) {
        const auto sum = [&](const auto& f) {
          double total = 0;
          for (int64_t v = 0; v < x.extent.height; ++v)
            for (int64_t u = 0; u < x.extent.width; ++u)
              for (int64_t c = g * channels; c < (g + 1) * channels; ++c) total += f(x(b, v, u, c));
          return total;
        };
        const double mean = sum([](double value) { return value; }) / count;
        const double variance = sum([&](double value) { return (value - mean) * (value - mean); }) / count;
        for (int64_t v = 0; v < x.extent.height; ++v)
          for (int64_t u = 0; u < x.extent.width; ++u)
            for (int64_t c = g * channels; c < (g + 1) * channels; ++c) {
              const auto i = static_cast<std::size_t>(c);
              out_(b, v, u, c) = activated(
                  (x(b, v, u, c) - mean) / std::sqrt(variance + norm.epsilon) * static_cast<double>(weight[i]) +
                      static_cast<double>(bias[i]),
                  norm.activation);
            }
      }
  }

  void apply(const Attention& op) {
    const auto &queries = in(0), &keys = in(1), &values = in(2);
    const int64_t masks = op.masked ? in(3).extent.channels : 0;
    const int64_t heads = op.heads, width = queries.extent.channels / heads, depth = values.extent.channels / heads;
    const int64_t count = keys.extent.height * keys.extent.width, across = keys.extent.width;
    std::vector<double> shares(static_cast<std::size_t>(count));
    const double scale = 1 / std::sqrt(static_cast<double>(width));
    for (int64_t b = 0; b < out_.extent.batch; ++b)
      for (int64_t y = 0; y < out_.extent.height; ++y)
        for (int64_t x = 0; x < out_.extent.width; ++x)
          for (int64_t h = 0; h < heads; ++h) {
            const int64_t query = y * queries.extent.width + x;
            const auto left_out = [&](int64_t k) {
              return query < masks && in(3)(b, k / across, k % across, query) < 0;
            };
            bool all = true;
            for (int64_t k = 0; k < count; ++k) all = all && left_out(k);
            for (int64_t k = 0; k < count; ++k) {
              double dot = 0;
              for (int64_t c = h * width; c < (h + 1) * width; ++c)
                dot += queries(b, y, x, c) * keys(b, k / across, k % across, c);
              shares[static_cast<std::size_t>(k)] =
                  left_out(k) && !all ? -std::numeric_limits<double>::infinity() : dot * scale;
            }
            const double most = *std::max_element(shares.begin(), shares.end());
            double sum = 0;
            for (double& share : shares) sum += share = std::exp(share - most);
            for (int64_t k = 0; k < count; ++k)
              for (int64_t c = h * depth; c < (h + 1) * depth; ++c)
                out_(b, y, x, c) += shares[static_cast<std::size_t>(k)] / sum * values(b, k / across, k % across, c);
          }
  }

  void apply(const UpsampleNearest& op) {
    fill([&](int64_t b, int64_t y, int64_t x, int64_t c) { return in(0)(b, y / op.factor, x / op.factor, c); });
  }

  void apply(const ResizeBilinear& op) {
    if (op.factor != 0) {
      add_resized(in(0), 1 / op.factor, 1 / op.factor, out_);
      return;
    }
    for (std::size_t i = 0; i + 1 < node_.inputs.size(); ++i)
      add_resized(in(i), static_cast<double>(in(i).extent.height) / static_cast<double>(out_.extent.height),
                  static_cast<double>(in(i).extent.width) / static_cast<double>(out_.extent.width), out_);
  }

  void apply(const Concat&) {
    int64_t begin = 0;
    for (std::size_t i = 0; i < node_.inputs.size(); begin += in(i).extent.channels, ++i)
      for_each(in(i).extent,
               [&](int64_t b, int64_t y, int64_t x, int64_t c) { out_(b, y, x, begin + c) = in(i)(b, y, x, c); });
  }

  void apply(const Slice& slice) {
    fill([&](int64_t b, int64_t y, int64_t x, int64_t c) { return in(0)(b, y, x, slice.begin + c); });
  }

  void apply(const Coordinates&) {
    fill([&](int64_t, int64_t y, int64_t x, int64_t c) {
      return c == 0 ? coordinate(x, out_.extent.width) : coordinate(y, out_.extent.height);
    });
  }

  void apply(const NormaliseMaps& op) { out_ = normalised(in(0), op.epsilon); }
  void apply(const SoftmaxMaps&) { out_ = softmax(in(0)); }
  void apply(const Aggregate&) { out_ = aggregate(in(0), in(1), out_.extent); }

  void apply(const AggregateLogits& op) {
    Map maps = in(0);
    if (op.bias) {
      const std::vector<float> bias = op.bias->evaluate();
      for (std::size_t i = 0; i < maps.data.size(); ++i) maps.data[i] += bias[i % bias.size()];
    }
    if (op.softmax) {
      maps = softmax(maps);
    } else {
      for (auto& value : maps.data) value = activated(value, Activation::sigmoid);
      maps = normalised(maps, op.epsilon);
    }
    out_ = aggregate(maps, in(1), out_.extent);
  }

  void apply(const Regroup& op) {
    const int64_t length = out_.extent.channels / op.blocks;
    const auto per_image = out_.extent.height * out_.extent.channels;
    fill([&](int64_t b, int64_t n, int64_t, int64_t c) {
      const auto flat = (c / length * op.instances + n) * length + c % length;
      return in(0).data[static_cast<std::size_t>(b * per_image + flat)];
    });
  }

  void apply(const Linear& op) {
    const auto weight = numbers(op.weight), bias = numbers(op.bias);
    const int64_t inputs = op.weight->shape()[1];
    fill([&](int64_t b, int64_t y, int64_t x, int64_t o) {
      double sum = bias.empty() ? 0.0 : static_cast<double>(bias[static_cast<std::size_t>(o)]);
      for (int64_t i = 0; i < inputs; ++i)
        sum += in(0)(b, y, x, i) * static_cast<double>(weight[static_cast<std::size_t>(o * inputs + i)]);
      return activated(sum, op.activation);
    });
  }

  void apply(const Parameter& op) {
    const auto rows = numbers(op.value);
    fill([&](int64_t, int64_t n, int64_t, int64_t c) {
      return static_cast<double>(rows[static_cast<std::size_t>(n * out_.extent.channels + c)]);
    });
  }

  void apply(const ParameterMap& op) {
    const Shape& shape = op.value->shape();
    const auto all = numbers(op.value);
    const Map map = from_nchw({1, shape[2], shape[3], shape[1]}, all);
    Map image = zeros({1, out_.extent.height, out_.extent.width, shape[1]});
    add_resized(map, static_cast<double>(shape[2]) / static_cast<double>(out_.extent.height),
                static_cast<double>(shape[3]) / static_cast<double>(out_.extent.width), image);
    fill([&](int64_t, int64_t y, int64_t x, int64_t c) { return image(0, y, x, c); });
  }

  void apply(const ConcatRows&) {
    int64_t begin = 0;
    for (std::size_t i = 0; i < node_.inputs.size(); begin += in(i).extent.height, ++i)
      for_each(in(i).extent,
               [&](int64_t b, int64_t n, int64_t, int64_t c) { out_(b, begin + n, 0, c) = in(i)(b, n, 0, c); });
  }

  void apply(const SliceRows& slice) {
    fill([&](int64_t b, int64_t n, int64_t, int64_t c) { return in(0)(b, slice.begin + n, 0, c); });
  }

  void apply(const ProposalScores& op) {
    const auto& logits = in(0);
    const int64_t height = logits.extent.height, width = logits.extent.width, classes = logits.extent.channels - 1;
    // The class of the largest logit, and its probability.
    const auto best = [&](int64_t b, int64_t y, int64_t x) {
      int64_t label = 0;
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c)
        if (logits(b, y, x, c) > logits(b, y, x, label)) label = c;
      for (int64_t c = 0; c <= classes; ++c) sum += std::exp(logits(b, y, x, c) - logits(b, y, x, label));
      return std::pair(label, 1 / sum);
    };
    fill([&](int64_t b, int64_t position, int64_t, int64_t) {
      const int64_t y = position / width, x = position % width;
      const auto own = best(b, y, x);
      bool maximum = own.second >= op.epsilon;
      for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, height - 1); ++v)
        for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, width - 1); ++u)
          if (const auto other = best(b, v, u); other.first == own.first && other.second > own.second) maximum = false;
      return own.second + (maximum ? 1.0 : 0.0);
    });
  }

  void apply(const SelectTop&) {
    const auto& x = in(0);
    const int64_t positions = x.extent.height * x.extent.width;
    Map& scores = outs_[1];
    for (int64_t b = 0; b < x.extent.batch; ++b) {
      std::vector<int64_t> order(static_cast<std::size_t>(positions));
      std::iota(order.begin(), order.end(), int64_t{0});
      const auto score = [&](int64_t p) { return x.data[static_cast<std::size_t>(b * positions + p)]; };
      std::stable_sort(order.begin(), order.end(), [&](int64_t p, int64_t q) { return score(p) > score(q); });
      for (int64_t n = 0; n < out_.extent.height; ++n) {
        out_(b, n, 0, 0) = static_cast<double>(order[static_cast<std::size_t>(n)]);
        scores(b, n, 0, 0) = score(order[static_cast<std::size_t>(n)]);
      }
    }
  }

  void apply(const GatherPositions&) {
    const auto &x = in(0), &positions = in(1);
    fill([&](int64_t b, int64_t n, int64_t, int64_t c) {
      const auto p = static_cast<int64_t>(positions(b, n, 0, 0));
      const bool inside = p >= 0 && p < x.extent.height * x.extent.width;
      return inside ? x(b, p / x.extent.width, p % x.extent.width, c) : 0.0;
    });
  }

  /// What an operation of one input and one output makes of a map.
  template <typename Kind>
  static Map result_of(const Kind& op, const Map& x) {
    Graph graph;
    graph.values = {{"x"}, {"result"}};
    graph.nodes = {{"part", op, {0}, {1}}};
    std::vector<Extent> extents{x.extent, {}};
    extents[1] = op.extent(InputExtents(graph, graph.nodes[0], extents));
    return interpret_node(graph.nodes[0], {x, {}}, extents)[0];
  }

  void apply(const StemPool& op) {
    Conv conv;
    conv.weight = op.weight, conv.bias = op.bias, conv.activation = op.activation;
    conv.stride = 2, conv.padding = static_cast<int>(op.weight->shape()[2] - 1) / 2;
    out_ = result_of(MaxPool{3, 2, 1}, result_of(conv, in(0)));
  }

  void apply(const PooledConv& op) {
    Conv conv;
    conv.weight = op.weight, conv.bias = op.bias, conv.activation = op.activation;
    out_ = result_of(conv, result_of(AveragePool{2, 2}, in(0)));
  }

  void apply(const PyramidPool& op) {
    for (std::size_t i = 0; i < op.branches.size(); ++i) {
      const PyramidPool::Branch& branch = op.branches[i];
      Conv stage, bottleneck;
      stage.weight = branch.stage_weight, stage.bias = branch.stage_bias, stage.activation = branch.activation;
      bottleneck.weight = branch.weight, bottleneck.bias = branch.bias;
      outs_[i] = result_of(bottleneck, result_of(stage, result_of(AdaptiveAveragePool{branch.size}, in(0))));
    }
  }

  void apply(const LinearHeads& op) {
    const Map list = op.blocks == 0 ? in(0) : result_of(Regroup{op.blocks, op.instances}, in(0));
    for (std::size_t i = 0; i < op.heads.size(); ++i) outs_[i] = result_of(op.heads[i], list);
  }

  void apply(const MaskProduct& op) {
    const auto &kernels = in(0), &features = in(1);
    const int64_t channels = features.extent.channels;
    fill([&](int64_t b, int64_t y, int64_t x, int64_t n) {
      double sum = op.offset ? kernels(b, n, 0, channels) : 0.0;
      for (int64_t k = 0; k < channels; ++k) sum += kernels(b, n, 0, k) * features(b, y, x, k);
      return sum;
    });
  }
};

}  // namespace

Map zeros(const Extent& extent) { return {extent, std::vector<double>(static_cast<std::size_t>(extent.elements()))}; }

std::vector<Map> interpret_node(const Node& node, const std::vector<Map>& values, const std::vector<Extent>& extents) {
  return Interpreter(node, values, extents).run();
}

std::vector<Map> interpret(const Graph& graph, const Map& input, const std::map<ValueId, Map>& given) {
  const auto extents = infer_extents(graph, input.extent.batch, input.extent.height, input.extent.width);
  std::vector<Map> values(graph.values.size());
  values[static_cast<std::size_t>(graph.nodes[0].output())] = input;
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    std::vector<Map> made = interpret_node(graph.nodes[i], values, extents);
    for (std::size_t k = 0; k < made.size(); ++k)
      values[static_cast<std::size_t>(graph.nodes[i].outputs[k])] = std::move(made[k]);
    for (const ValueId value : graph.nodes[i].outputs) {
      const auto found = given.find(value);
      if (found == given.end()) continue;
      if (found->second.extent != extents[static_cast<std::size_t>(value)])
        throw Error("value " + graph.values[static_cast<std::size_t>(value)].name + ": expected " +
                    to_text(extents[static_cast<std::size_t>(value)]) + ", found " + to_text(found->second.extent));
      values[static_cast<std::size_t>(value)] = found->second;
    }
  }
  return values;
}

std::vector<float> to_nchw(const Map& map) {
  if (map.extent.list) return {map.data.begin(), map.data.end()};
  const auto& e = map.extent;
  std::vector<float> result(map.data.size());
  for_each(e, [&](int64_t b, int64_t y, int64_t x, int64_t c) {
    result[static_cast<std::size_t>(((b * e.channels + c) * e.height + y) * e.width + x)] =
        static_cast<float>(map(b, y, x, c));
  });
  return result;
}

Map from_nchw(const Extent& e, const std::vector<float>& source) {
  Map map = zeros(e);
  if (source.size() != map.data.size())
    throw Error("expected " + std::to_string(map.data.size()) + " numbers, found " + std::to_string(source.size()));
  if (e.list) {
    map.data.assign(source.begin(), source.end());
    return map;
  }
  for_each(e, [&](int64_t b, int64_t y, int64_t x, int64_t c) {
    map(b, y, x, c) =
        static_cast<double>(source[static_cast<std::size_t>(((b * e.channels + c) * e.height + y) * e.width + x)]);
  });
  return map;
}

}  // namespace maskrt::testing
