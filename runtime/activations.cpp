#include "activations.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "kernels/masks/composed_taps.h"
#include "runtime/support/public_call.h"

namespace maskrt {
namespace {

void sigmoid(std::span<float> numbers) {
  for (float& number : numbers) number = 1 / (1 + std::exp(-number));
}

void softmax(std::span<float> numbers) {
  const float most = *std::max_element(numbers.begin(), numbers.end());
  double sum = 0;
  for (float& number : numbers) {
    number = std::exp(number - most);
    sum += static_cast<double>(number);
  }
  for (float& number : numbers) number = static_cast<float>(static_cast<double>(number) / sum);
}

void check_index(const char* what, int index, std::int64_t count) {
  if (index < 0 || index >= count)
    throw Error("activation maps: expected a " + std::string(what) + " from 0 to " + std::to_string(count - 1) +
                ", found " + std::to_string(index));
}

/// out[i] of `width` numbers = the row of `in` at the taps of i.
void blend_row(const float* in, const kernels::ComposedTaps& taps, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    float sum = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(taps.used); ++k)
      sum += in[taps.index[k][i]] * taps.weight[k][i];
    out[i] = sum;
  }
}

/// The part of a map that the picture fills, resized: as a map becomes as large as the network's input, is cropped and
/// becomes as large as is asked for, both times bilinearly.
std::vector<float> resized(const std::vector<float>& map, const ActivationMaps::Data& data, int width, int height) {
  const auto columns = static_cast<std::size_t>(width), rows = static_cast<std::size_t>(height);
  const kernels::Geometry& geometry = data.geometry;
  const auto map_width = static_cast<std::size_t>(data.width()), map_height = static_cast<std::size_t>(data.height());
  const kernels::ComposedTaps across = kernels::compose_taps(static_cast<int>(map_width), geometry.padded_width,
                                                             geometry.resized_width, width, columns),
                              down = kernels::compose_taps(static_cast<int>(map_height), geometry.padded_height,
                                                           geometry.resized_height, height, rows);
  std::vector<float> wide(map_height * columns), out(rows * columns);
  for (std::size_t y = 0; y < map_height; ++y)
    blend_row(&map[y * map_width], across, std::span(wide).subspan(y * columns, columns));
  for (std::size_t y = 0; y < rows; ++y) {
    float* const to = &out[y * columns];
    for (std::size_t k = 0; k < static_cast<std::size_t>(down.used); ++k) {
      const float* const from = &wide[static_cast<std::size_t>(down.index[k][y]) * columns];
      const float weight = down.weight[k][y];
      if (weight == 0) continue;
      for (std::size_t x = 0; x < columns; ++x) to[x] += from[x] * weight;
    }
  }
  return out;
}

}  // namespace

std::span<const float> ActivationMaps::Data::numbers_of(std::int64_t map) const {
  const auto positions = static_cast<std::size_t>(height() * width());
  return std::span(batch->values).subspan(static_cast<std::size_t>(image * maps() + map) * positions, positions);
}

std::vector<ActivationMaps> activation_maps(HostTensor batch, const graph::ActivationSource& source,
                                            std::span<const kernels::Geometry> geometries) {
  const auto shared = std::make_shared<const HostTensor>(std::move(batch));
  std::vector<ActivationMaps> images;
  for (std::size_t i = 0; i < geometries.size(); ++i)
    images.emplace_back(std::make_shared<const ActivationMaps::Data>(
        ActivationMaps::Data{shared, static_cast<std::int64_t>(i), source, geometries[i]}));
  return images;
}

ActivationMaps::ActivationMaps() = default;
ActivationMaps::ActivationMaps(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

const ActivationMaps::Data& ActivationMaps::data() const {
  if (data_ == nullptr) throw Error("activation maps: expected those of a run, found none");
  return *data_;
}

int ActivationMaps::count() const { return data_ == nullptr ? 0 : static_cast<int>(data_->maps()); }
int ActivationMaps::queries() const {
  return data_ == nullptr ? 0 : static_cast<int>(data_->source.queries_of(data_->maps()));
}
int ActivationMaps::width() const { return data_ == nullptr ? 0 : static_cast<int>(data_->width()); }
int ActivationMaps::height() const { return data_ == nullptr ? 0 : static_cast<int>(data_->height()); }

std::vector<int> ActivationMaps::maps_of(int query) const {
  return public_call("activation maps", [&] {
    check_index("query", query, data().source.queries_of(data().maps()));
    const std::vector<std::int64_t> found = data().source.maps_of(query, data().maps());
    return std::vector<int>(found.begin(), found.end());
  });
}

std::vector<float> ActivationMaps::map(int index) const {
  return public_call("activation maps", [&] {
    check_index("map", index, data().maps());
    const std::span<const float> numbers = data().numbers_of(index);
    std::vector<float> map(numbers.begin(), numbers.end());
    if (data().source.activation == graph::MapActivation::sigmoid) sigmoid(map);
    if (data().source.activation == graph::MapActivation::softmax) softmax(map);
    return map;
  });
}

std::vector<float> ActivationMaps::over_image(int index, int width, int height) const {
  return public_call("activation maps", [&] {
    if (width < 1 || height < 1)
      throw Error("activation maps: expected a size of at least 1x1, found " + std::to_string(width) + "x" +
                  std::to_string(height));
    return resized(map(index), data(), width, height);
  });
}

}  // namespace maskrt
