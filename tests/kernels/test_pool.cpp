// Pools of the CPU device against the loops that define them.
#include "kernels/pool/pool.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::for_each_layout;
using maskrt::testing::map_of_size;
using maskrt::testing::onednn_has_bf16;
using maskrt::testing::OwnedTensor;
using maskrt::testing::Size;
using maskrt::testing::unit_fp32;

TEST_CASE("max pools") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      if (type == DataType::bf16 && !onednn_has_bf16()) continue;
      for (const PoolGeometry geometry : {PoolGeometry{3, 2, 1}, PoolGeometry{2, 2, 0}, PoolGeometry{3, 1, 1}}) {
        const auto extent = [&](std::int64_t n) {
          return (n + 2 * geometry.padding - geometry.kernel) / geometry.stride + 1;
        };
        if (size.height + 2 * geometry.padding < geometry.kernel || size.width + 2 * geometry.padding < geometry.kernel)
          continue;
        const Size small{size.batch, extent(size.height), extent(size.width), size.channels};
        OwnedTensor in = map_of_size(type, size, block), out = map_of_size(type, small, block),
                    want = map_of_size(type, small, block);
        in.fill(1);
        out.poison();
        max_pool_ref(geometry, *in, *want);
        MaxPool(geometry, *in, *out).run(*in, *out);
        require_close(out, *want, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("adaptive average pools") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const std::int64_t bins : {1, 2, 3, 6}) {
      const Size small{size.batch, bins, bins, size.channels};
      OwnedTensor in = map_of_size(DataType::f32, size, block), out = map_of_size(DataType::f32, small, block),
                  want = map_of_size(DataType::f32, small, 0);
      in.fill(1);
      out.poison();
      adaptive_average_pool_ref(*in, *want);
      adaptive_average_pool_cpu(*in, *out);
      // A mean of n numbers up to 1, summed one after the other.
      const double n = static_cast<double>(size.height * size.width);
      require_close(out, *want, [&](auto...) { return unit_fp32 * (4 + std::sqrt(n)); });
    }
  });
}
