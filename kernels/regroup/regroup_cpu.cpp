#include <algorithm>

#include "regroup.h"

namespace maskrt::kernels {

void regroup_cpu(const Tensor& in, std::int64_t blocks, std::int64_t instances, const Tensor& out) {
  const std::int64_t length = in.height * in.channels / (blocks * instances);
  for (std::int64_t b = 0; b < out.batch; ++b)
    for (std::int64_t n = 0; n < instances; ++n)
      for (std::int64_t k = 0; k < blocks; ++k)
        std::copy_n(in.as<float>() + b * in.batch_stride + (k * instances + n) * length, length,
                    out.as<float>() + out.index(b, n, 0, k * length));
}

}  // namespace maskrt::kernels
