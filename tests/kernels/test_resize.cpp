// Resizes of the CPU device against the loops that define them.
#include "kernels/resize/resize.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::for_each_layout;
using maskrt::testing::map_of_size;
using maskrt::testing::OwnedTensor;
using maskrt::testing::Size;
using maskrt::testing::unit_fp32;

TEST_CASE("nearest and bilinear resizes") {
  for_each_layout([](const Size& size, std::int64_t block) {
    OwnedTensor in = map_of_size(DataType::f32, size, block);
    in.fill(1);
    for (const int factor : {1, 2, 3}) {
      const Size large{size.batch, size.height * factor, size.width * factor, size.channels};
      OwnedTensor out = map_of_size(DataType::f32, large, block), want = map_of_size(DataType::f32, large, 0);
      out.poison();
      upsample_nearest_ref(*in, factor, *want);
      upsample_nearest_cpu(*in, factor, *out);
      require_close(out, *want, [](auto...) { return 0.0; });
    }
    // Three roundings of numbers up to 2.
    const auto bound = [](auto...) { return 8 * unit_fp32; };
    for (const double factor : {2.0, 4.0, 1.5, 2.7}) {
      const Size large{size.batch, static_cast<std::int64_t>(static_cast<double>(size.height) * factor),
                       static_cast<std::int64_t>(static_cast<double>(size.width) * factor), size.channels};
      for (const std::int64_t out_block : {std::int64_t{1}, block}) {
        OwnedTensor out = map_of_size(DataType::f32, large, out_block), want = map_of_size(DataType::f32, large, 0);
        out.poison();
        resize_bilinear_factor_ref(*in, factor, *want);
        resize_bilinear_factor_cpu(*in, factor, *out);
        require_close(out, *want, bound);
      }
    }
    const Size small{size.batch, 1, 1, size.channels}, odd{size.batch, 2, 3, size.channels},
        target{size.batch, 11, 9, size.channels};
    OwnedTensor one = map_of_size(DataType::f32, small, block), few = map_of_size(DataType::f32, odd, block),
                out = map_of_size(DataType::f32, target, block), want = map_of_size(DataType::f32, target, 0);
    one.fill(2);
    few.fill(3);
    out.poison();
    const std::vector<Tensor> inputs{*in, *one, *few};
    resize_bilinear_sum_ref(inputs, *want);
    resize_bilinear_sum_cpu(inputs, *out);
    require_close(out, *want, [&](auto...) { return 24 * unit_fp32; });
  });
}
