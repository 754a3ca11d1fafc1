#include "map_of.h"

#include <limits>
#include <string>

namespace maskrt::kernels::cuda {
namespace {

std::string shape_of(const Tensor& t) { return to_string(Shape{t.batch, t.height, t.width, t.channels}); }

}  // namespace

Map map_of(const Tensor& t, std::string_view what) {
  if (t.block < t.channels || t.pixel_stride < t.block)
    throw Error(std::string(what) + ": expected channels side by side in one block, found " +
                std::to_string(t.channels) + " channels in blocks of " + std::to_string(t.block) + ", pixels " +
                std::to_string(t.pixel_stride) + " elements apart");
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max() / 2;
  if (t.batch < 1 || t.height < 1 || t.width < 1 || t.channels < 1 || t.pixel_stride > most || t.height > most ||
      t.width > most || t.height * t.width > most)
    throw Error(std::string(what) + ": expected extents from 1 to 2^30, found " + shape_of(t));
  Map map;
  map.data = t.data;
  map.batch_stride = t.batch_stride;
  map.pixel_stride = static_cast<std::int32_t>(t.pixel_stride);
  map.height = static_cast<std::int32_t>(t.height);
  map.width = static_cast<std::int32_t>(t.width);
  map.channels = static_cast<std::int32_t>(t.channels);
  map.block = static_cast<std::int32_t>(t.block);
  const auto bytes = static_cast<std::int64_t>(size_of(t.type));
  map.aligned = reinterpret_cast<std::uintptr_t>(t.data) % 16 == 0 && t.pixel_stride * bytes % 16 == 0 &&
                        (t.batch == 1 || t.batch_stride * bytes % 16 == 0)
                    ? 1
                    : 0;
  return map;
}

Map list_of(const Tensor& t, std::string_view what) {
  if (t.width != 1 || t.type != DataType::f32)
    throw Error(std::string(what) + ": expected a list of vectors in fp32, found " + shape_of(t) + " in " +
                std::string(name_of(t.type)));
  return map_of(t, what);
}

void require_short(Activation activation, std::string_view what) {
  if (is_short(activation)) return;
  throw Error(std::string(what) + ": expected no activation, ReLU or the logistic function, found " +
              (activation == Activation::gelu ? "GELU" : "leaky ReLU"));
}

void require_same_type(const Tensor& a, std::string_view what_a, const Tensor& b, std::string_view what_b) {
  if (a.type == b.type) return;
  throw Error(std::string(what_a) + " and " + std::string(what_b) + ": expected one type, found " +
              std::string(name_of(a.type)) + " and " + std::string(name_of(b.type)));
}

void require_same_shape(const Tensor& a, std::string_view what_a, const Tensor& b, std::string_view what_b) {
  if (a.batch == b.batch && a.height == b.height && a.width == b.width && a.channels == b.channels) return;
  throw Error(std::string(what_a) + " and " + std::string(what_b) + ": expected equal shapes, found " + shape_of(a) +
              " and " + shape_of(b));
}

}  // namespace maskrt::kernels::cuda
