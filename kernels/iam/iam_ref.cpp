#include <algorithm>
#include <cmath>
#include <vector>

#include "iam.h"
#include "kernels/activation.h"
#include "kernels/element.h"

namespace maskrt::kernels {
namespace {

/// One map of one image in double: its weights over positions.
std::vector<double> weights_of(const Tensor& maps, std::int64_t b, std::int64_t m, MapWeights weights, double epsilon) {
  std::vector<double> values;
  for (std::int64_t y = 0; y < maps.height; ++y)
    for (std::int64_t x = 0; x < maps.width; ++x) values.push_back(get(maps, b, y, x, m));
  if (weights == MapWeights::plain) return values;
  const double most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (double& v : values) {
    v = weights == MapWeights::softmax ? std::exp(v - most) : 1.0 / (1.0 + std::exp(-v));
    sum += v;
  }
  const double divisor = weights == MapWeights::sigmoid ? std::max(sum, epsilon) : sum;
  for (double& v : values) v /= divisor;
  return values;
}

}  // namespace

void normalise_maps_ref(const Tensor& maps, double epsilon, const Tensor& out) {
  for (std::int64_t b = 0; b < maps.batch; ++b) {
    for (std::int64_t m = 0; m < maps.channels; ++m) {
      double sum = 0;
      for (std::int64_t y = 0; y < maps.height; ++y)
        for (std::int64_t x = 0; x < maps.width; ++x) sum += get(maps, b, y, x, m);
      for (std::int64_t y = 0; y < maps.height; ++y)
        for (std::int64_t x = 0; x < maps.width; ++x)
          set(out, b, y, x, m, static_cast<float>(get(maps, b, y, x, m) / std::max(sum, epsilon)));
    }
  }
}

void softmax_maps_ref(const Tensor& maps, const Tensor& out) {
  for (std::int64_t b = 0; b < maps.batch; ++b) {
    for (std::int64_t m = 0; m < maps.channels; ++m) {
      const std::vector<double> values = weights_of(maps, b, m, MapWeights::softmax, 0);
      for (std::int64_t y = 0; y < maps.height; ++y)
        for (std::int64_t x = 0; x < maps.width; ++x)
          set(out, b, y, x, m, static_cast<float>(values[static_cast<std::size_t>(y * maps.width + x)]));
    }
  }
}

void aggregate_ref(std::span<const Tensor> maps, const Tensor& features, MapWeights weights, double epsilon,
                   const Tensor& out) {
  for (std::int64_t b = 0; b < out.batch; ++b) {
    std::int64_t row = 0;
    for (const Tensor& part : maps) {
      for (std::int64_t m = 0; m < part.channels; ++m, ++row) {
        const std::vector<double> weight = weights_of(part, b, m, weights, epsilon);
        for (std::int64_t c = 0; c < features.channels; ++c) {
          double sum = 0;
          for (std::int64_t y = 0; y < features.height; ++y)
            for (std::int64_t x = 0; x < features.width; ++x)
              sum += weight[static_cast<std::size_t>(y * features.width + x)] * get(features, b, y, x, c);
          set(out, b, row, 0, c, static_cast<float>(sum));
        }
      }
    }
  }
}

}  // namespace maskrt::kernels
