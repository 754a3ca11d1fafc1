#include "kernels/element.h"
#include "regroup.h"

namespace maskrt::kernels {

void regroup_ref(const Tensor& in, std::int64_t blocks, std::int64_t instances, const Tensor& out) {
  const std::int64_t length = in.height * in.channels / (blocks * instances);
  for_each_element(out, [&](std::int64_t b, std::int64_t n, std::int64_t, std::int64_t c) {
    const std::int64_t flat = (c / length * instances + n) * length + c % length;
    set(out, b, n, 0, c, get(in, b, flat / in.channels, 0, flat % in.channels));
  });
}

}  // namespace maskrt::kernels
