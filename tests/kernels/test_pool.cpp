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
      Pool(c.geometry, *in, *out).run(*in, *out);
      require_close(out, *want, [](auto...) { return 0.0; });
    }
  });
}

TEST_CASE("average pools") {
  for_each_layout(average_window_cases, [](const AverageWindowCase& c, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      if (type == DataType::bf16 && !onednn_has_bf16()) continue;
      OwnedTensor in = map_of_shape(type, c.in, block), out = map_of_shape(type, c.out(), block),
                  want = map_of_shape(DataType::f32, c.out(), 0);
      in.fill(1);
      out.poison();
      average_pool_ref(c.geometry, *in, *want);
      Pool(c.geometry, *in, *out).run(*in, *out);
      // A mean of n numbers up to 1, summed one after the other, and one rounding to the type.
      const double n = c.geometry.kernel * c.geometry.kernel;
      require_close(out, *want, [&](auto b, auto y, auto x, auto channel) {
        return kUnitFp32 * (4 + std::sqrt(n)) +
               (type == DataType::bf16 ? kUnitBf16 * std::abs(get(*want, b, y, x, channel)) : 0);
      });
    }
  });
}

TEST_CASE("pools of a slice of a batch leave the channels beside it alone") {
  OwnedTensor all_in(DataType::f32, 2, 7, 9, 64, 16), all_out(DataType::f32, 2, 4, 5, 64, 16),
      before(DataType::f32, 2, 4, 5, 64, 16);
  all_in.fill(1);
  all_out.fill(2);
  before.fill(2);
  Tensor in = *all_in, out = *all_out;
  in.data = in.as<float>() + in.block_stride;
  out.data = out.as<float>() + 2 * out.block_stride;
  in.channels = out.channels = 32;
  OwnedTensor want(DataType::f32, 2, 4, 5, 32, 0);
  average_pool_ref({2, 2}, in, *want);
  Pool(AveragePoolGeometry{2, 2}, in, out).run(in, out);
  for_each_element(*before, [&](auto b, auto y, auto x, auto c) {
    if (c >= 32) set(*before, b, y, x, c, get(*want, b, y, x, c - 32));
  });
  require_close(all_out, *before, [](auto, auto, auto, auto c) { return c < 32 ? 0.0 : 8 * kUnitFp32; });
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
