#include "kernels/coordinate.h"
#include "kernels/element.h"
#include "layout.h"

namespace maskrt::kernels {

void copy_channels_ref(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                       std::int64_t count) {
  for (std::int64_t b = 0; b < out.batch; ++b)
    for (std::int64_t y = 0; y < out.height; ++y)
      for (std::int64_t x = 0; x < out.width; ++x)
        for (std::int64_t c = 0; c < count; ++c) set(out, b, y, x, out_begin + c, get(in, b, y, x, in_begin + c));
}

void copy_rows_ref(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                   std::int64_t count) {
  for (std::int64_t b = 0; b < out.batch; ++b)
    for (std::int64_t n = 0; n < count; ++n)
      for (std::int64_t c = 0; c < out.channels; ++c) set(out, b, out_begin + n, 0, c, get(in, b, in_begin + n, 0, c));
}

void clear_padding(const Tensor& out) {
  if (out.channels % out.block == 0) return;
  const Tensor whole = padded(out);
  for (std::int64_t b = 0; b < out.batch; ++b)
    for (std::int64_t y = 0; y < out.height; ++y)
      for (std::int64_t x = 0; x < out.width; ++x)
        for (std::int64_t c = out.channels; c < whole.channels; ++c) set(whole, b, y, x, c, 0.0f);
}

void coordinates_ref(const Tensor& out) {
  for_each_element(out, [&](auto b, auto y, auto x, auto c) {
    set(out, b, y, x, c, static_cast<float>(c == 0 ? coordinate(x, out.width) : coordinate(y, out.height)));
  });
}

}  // namespace maskrt::kernels
