#include "conv_tensors.h"

#include <algorithm>
#include <limits>
#include <string>

#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {

void check_conv_tensor(const Tensor& t, const char* what) {
  cuda::map_of(t, what);
  const std::int64_t elements = t.batch * std::max(t.batch_stride, t.height * t.width * t.pixel_stride);
  if (elements >= std::numeric_limits<std::int32_t>::max())
    throw Error(std::string(what) + ": expected fewer than 2^31 elements, found " + std::to_string(elements) + " in " +
                std::string(name_of(t.type)) + " " + to_string(Shape{t.batch, t.height, t.width, t.channels}));
}

int epilogue_vector(const Tensor& t, std::int64_t group_stride, int groups) {
  const auto divides = [&](std::int64_t n) {
    return t.pixel_stride % n == 0 && t.batch_stride % n == 0 && (groups == 1 || group_stride % n == 0);
  };
  const std::uintptr_t first = misalignment(t.data);
  if (t.type == DataType::f32) return first == 0 && divides(4) ? 8 : 1;
  if (first == 0 && divides(8)) return 8;
  return first % 8 == 0 && divides(4) ? 4 : 1;
}

}  // namespace maskrt::kernels
