// Resizes of the CPU device against the loops that define them.
#include <memory>

#include "kernels/resize/resize.h"
#include "map_cases.h"
#include "resize_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

TEST_CASE("nearest neighbours") {
  for_each_layout(nearest_cases, [](const NearestCase& c, std::int64_t block) {
    OwnedTensor in = map_of_shape(DataType::f32, c.in, block), out = map_of_shape(DataType::f32, c.out(), block),
                want = map_of_shape(DataType::f32, c.out(), 0);
    in.fill(1);
    out.poison();
    upsample_nearest_ref(*in, c.factor, *want);
    upsample_nearest_cpu(*in, c.factor, *out);
    require_close(out, *want, [](auto...) { return 0.0; });
  });
}

TEST_CASE("bilinear resizes by a factor") {
  for_each_layout(factor_cases, [](const FactorCase& c, std::int64_t block) {
    OwnedTensor in = map_of_shape(DataType::f32, c.in, block);
    in.fill(1);
    for (const std::int64_t out_block : {std::int64_t{1}, block}) {
      OwnedTensor out = map_of_shape(DataType::f32, c.out(), out_block), want = map_of_shape(DataType::f32, c.out(), 0);
      out.poison();
      resize_bilinear_factor_ref(*in, c.factor, *want);
      resize_bilinear_factor_cpu(*in, c.factor, *out);
      // Three roundings of numbers up to 2.
      require_close(out, *want, [](auto...) { return 8 * kUnitFp32; });
    }
  });
}

TEST_CASE("sums of bilinear resizes") {
  for (const ResizeSumCase& c : resize_sum_cases) {
    for (const std::int64_t block : channel_blocks) {
      INFO(c.inputs.size() << " inputs, " << c.height << "x" << c.width << "x" << c.channels << ", block " << block);
      std::vector<std::unique_ptr<OwnedTensor>> owned;
      std::vector<Tensor> inputs;
      for (const auto& [height, width] : c.inputs) {
        owned.push_back(std::make_unique<OwnedTensor>(DataType::f32, 2, height, width, c.channels, block));
        owned.back()->fill(static_cast<unsigned>(owned.size()));
        inputs.push_back(**owned.back());
      }
      const MapShape shape{2, c.height, c.width, c.channels};
      OwnedTensor out = map_of_shape(DataType::f32, shape, block), want = map_of_shape(DataType::f32, shape, 0);
      out.poison();
      resize_bilinear_sum_ref(inputs, *want);
      resize_bilinear_sum_cpu(inputs, *out);
      require_close(out, *want, [&](auto...) { return 8 * static_cast<double>(inputs.size()) * kUnitFp32; });
    }
  }
}
