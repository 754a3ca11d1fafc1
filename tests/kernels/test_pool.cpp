// Pools of the CPU device against the loops that define them.
#include "kernels/pool/pool.h"
#include "map_cases.h"
#include "pool_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

TEST_CASE("max pools") {
  for_each_layout(max_pool_cases, [](const MaxPoolCase& c, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      if (type == DataType::bf16 && !onednn_has_bf16()) continue;
      OwnedTensor in = map_of_shape(type, c.in, block), out = map_of_shape(type, c.out(), block),
                  want = map_of_shape(type, c.out(), block);
      in.fill(1);
      out.poison();
      max_pool_ref(c.geometry, *in, *want);
      MaxPool(c.geometry, *in, *out).run(*in, *out);
      require_close(out, *want, [](auto...) { return 0.0; });
    }
  });
}

TEST_CASE("adaptive average pools") {
  for_each_layout(average_pool_cases, [](const AveragePoolCase& c, std::int64_t block) {
    OwnedTensor in = map_of_shape(DataType::f32, c.in, block), out = map_of_shape(DataType::f32, c.out(), block),
                want = map_of_shape(DataType::f32, c.out(), 0);
    in.fill(1);
    out.poison();
    adaptive_average_pool_ref(*in, *want);
    adaptive_average_pool_cpu(*in, *out);
    // A mean of n numbers up to 1, summed one after the other.
    const double n = static_cast<double>(c.in.height * c.in.width);
    require_close(out, *want, [&](auto...) { return kUnitFp32 * (4 + std::sqrt(n)); });
  });
}
