// Maps as the network has them on the GPU: dense, padded to eight channels, or a slice of a wider map.
#pragma once

#include "support/gpu.h"
#include "tests/kernels/map_shape.h"
#include "tests/kernels/owned_tensor.h"

namespace maskrt::testing {

enum class Place {
  dense,
  padded,     ///< to a multiple of eight channels, which the producer writes as zeros
  slice,      ///< from channel 8 on of a map whose pixels are a multiple of eight channels apart
  odd_slice,  ///< from channel 3 on
};
constexpr Place kAllPlaces[] = {Place::dense, Place::padded, Place::slice, Place::odd_slice};

inline const char* name_of(Place place) {
  constexpr const char* names[] = {"dense", "padded", "slice", "odd slice"};
  return names[static_cast<int>(place)];
}

inline std::int64_t in_eights(std::int64_t n) { return (n + 7) / 8 * 8; }

class PlacedMap {
 public:
  PlacedMap(DataType type, const MapShape& s, Place place)
      : shape_(s),
        begin_(place == Place::slice       ? 8
               : place == Place::odd_slice ? 3
                                           : 0),
        whole_(type, s.batch, s.height, s.width, begin_ == 0 ? s.channels : in_eights(begin_ + s.channels) + 8,
               place == Place::padded ? in_eights(s.channels) : 0) {}

  /// All of the memory with numbers, the padding with something else than zeros.
  PlacedMap& fill(unsigned seed, float low = -1, float high = 1) {
    whole_.fill(seed, low, high);
    const kernels::Tensor all = kernels::padded(*whole_);
    kernels::for_each_element(all, [&](auto b, auto y, auto x, auto c) {
      if (c >= whole_->channels) kernels::set(all, b, y, x, c, 7.0f);
    });
    return *this;
  }
  /// The same, but the padding holds the zeros that a producer writes.
  PlacedMap& fill_input(unsigned seed, float low = -1, float high = 1) {
    whole_.fill(seed, low, high);
    return *this;
  }

  /// NaN in all that surrounds the map's channels: padding, and what a slice is cut from.
  PlacedMap& poison_around() {
    const kernels::Tensor all = kernels::padded(*whole_);
    kernels::for_each_element(all, [&](auto b, auto y, auto x, auto c) {
      if (c < begin_ || c >= begin_ + shape_.channels)
        kernels::set(all, b, y, x, c, std::numeric_limits<float>::quiet_NaN());
    });
    return *this;
  }

  /// The map, of the host's memory or of `elsewhere`, which has the whole's shape.
  kernels::Tensor map() const { return map_of(*whole_); }
  kernels::Tensor map_of(const kernels::Tensor& elsewhere) const {
    kernels::Tensor t = elsewhere;
    if (begin_ == 0) return t;
    t.data = static_cast<std::byte*>(t.data) + begin_ * static_cast<std::int64_t>(size_of(t.type));
    t.channels = t.block = shape_.channels;
    return t;
  }
  const OwnedTensor& whole() const { return whole_; }

  /// This map, downloaded, within bound(wanted value) of want's, which lies in the same place; what surrounds a slice
  /// bit by bit as it was; padding zero.
  template <typename Bound>
  void require_near(const PlacedMap& want, Bound&& bound) const {
    const kernels::Tensor wanted = want.map();
    require_near_at(want, [&](auto b, auto y, auto x, auto c) { return bound(kernels::get(wanted, b, y, x, c)); });
  }
  /// The same within bound(b, y, x, c).
  template <typename Bound>
  void require_near_at(const PlacedMap& want, Bound&& bound) const {
    require_close(whole_, *want.whole_, [&](auto b, auto y, auto x, auto c) {
      const bool inside = c >= begin_ && c < begin_ + shape_.channels;
      return inside ? static_cast<double>(bound(b, y, x, c - begin_)) : 0.0;
    });
  }

 private:
  MapShape shape_;
  std::int64_t begin_;
  OwnedTensor whole_;
};

/// A placed map's double on the device.
class DeviceMap {
 public:
  explicit DeviceMap(const PlacedMap& host) : host_(host), device_(*host.whole()) {}
  kernels::Tensor operator*() const { return host_.map_of(*device_); }
  void download(PlacedMap& to) const { device_.download(*to.whole()); }

 private:
  const PlacedMap& host_;
  DeviceTensor device_;
};

/// The largest difference that two roundings of nearly the same number can leave, beside that of computing it.
inline double rounding(DataType type, double value) {
  return type == DataType::f32 ? 0 : 2 * kUnitFp16 * std::abs(value) + 0x1p-24;
}

}  // namespace maskrt::testing
