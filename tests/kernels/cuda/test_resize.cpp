// Resizing on the GPU against the loops that define it.
#include "kernels/resize/resize.h"
#include "kernels/resize/resize_cuda.h"
#include "placed_map.h"
#include "tests/kernels/resize_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

TEST_CASE("nearest neighbours on the GPU") {
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const NearestCase& c : nearest_cases)
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << c << " " << testing::name_of(place));
        PlacedMap in(type, c.in, place), out(type, c.out(), place), want(type, c.out(), place);
        in.fill_input(1), out.fill(2), want.fill(2);
        upsample_nearest_ref(in.map(), c.factor, want.map());
        const DeviceMap device_in(in), device_out(out);
        upsample_nearest_cuda(Gpu::instance().queue(), *device_in, c.factor, *device_out);
        device_out.download(out);
        out.require_near(want, [](double) { return 0.0; });
      }
}

TEST_CASE("sums of bilinear resizes on the GPU") {
  for (const ResizeSumCase& c : resize_sum_cases)
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const Place place : kAllPlaces)
        for (const DataType to : {type, DataType::f32}) {
          INFO(maskrt::name_of(type) << " to " << maskrt::name_of(to) << ", " << c.inputs.size() << " inputs, "
                                     << c.height << "x" << c.width << "x" << c.channels << " "
                                     << testing::name_of(place));
          std::vector<std::unique_ptr<PlacedMap>> inputs;
          std::vector<std::unique_ptr<DeviceMap>> device_inputs;
          std::vector<Tensor> here, there;
          for (const auto& [height, width] : c.inputs) {
            inputs.push_back(std::make_unique<PlacedMap>(type, MapShape{2, height, width, c.channels}, place));
            inputs.back()->fill_input(static_cast<unsigned>(inputs.size()));
            device_inputs.push_back(std::make_unique<DeviceMap>(*inputs.back()));
            here.push_back(inputs.back()->map());
            there.push_back(**device_inputs.back());
          }
          const MapShape s{2, c.height, c.width, c.channels};
          PlacedMap out(to, s, place), want(to, s, place);
          out.fill(9), want.fill(9);
          resize_bilinear_sum_ref(here, want.map());
          const DeviceMap device_out(out);
          resize_bilinear_sum_cuda(Gpu::instance().queue(), there, *device_out);
          device_out.download(out);
          // Three products and sums for each row of each source, whose values are below 1, and their sum.
          const double n = static_cast<double>(c.inputs.size());
          out.require_near(want, [&](double value) { return 8 * n * kUnitFp32 * n + rounding(to, value); });
        }
}

TEST_CASE("bilinear resizes by a factor on the GPU") {
  for (const FactorCase& c : factor_cases)
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const DataType to : {type, DataType::f32}) {
        INFO(maskrt::name_of(type) << " to " << maskrt::name_of(to) << ", " << c);
        PlacedMap in(type, c.in, Place::padded), out(to, c.out(), Place::padded), want(to, c.out(), Place::padded);
        in.fill_input(1), out.fill(2), want.fill(2);
        resize_bilinear_factor_ref(in.map(), c.factor, want.map());
        const DeviceMap device_in(in), device_out(out);
        resize_bilinear_factor_cuda(Gpu::instance().queue(), *device_in, c.factor, *device_out);
        device_out.download(out);
        out.require_near(want, [&](double value) { return 8 * kUnitFp32 + rounding(to, value); });
      }
}

TEST_CASE("resizes refuse what they cannot do") {
  PlacedMap in(DataType::f16, {1, 4, 4, 8}, Place::dense), out(DataType::f16, {1, 8, 9, 8}, Place::dense),
      other(DataType::f16, {1, 8, 9, 7}, Place::dense), wide(DataType::f32, {1, 4, 4, 8}, Place::dense);
  CudaQueue& queue = Gpu::instance().queue();
  CHECK_THROWS_WITH(upsample_nearest_cuda(queue, in.map(), 2, out.map()), Catch::Contains("2 times the input"));
  CHECK_THROWS_WITH(resize_bilinear_factor_cuda(queue, in.map(), 2, out.map()),
                    Catch::Contains("expected an output of 8 x 8, found 8 x 9"));
  const Tensor inputs[] = {in.map()}, wides[] = {wide.map()};
  CHECK_THROWS_WITH(resize_bilinear_sum_cuda(queue, inputs, other.map()), Catch::Contains("images of 7 channels"));
  CHECK_THROWS_WITH(
      resize_bilinear_sum_cuda(queue, wides, out.map()),
      Catch::Contains("resize (inputs, output): expected (fp32, fp32) or (fp16, fp16) or (fp16, fp32), found ("));
  CHECK_THROWS_WITH(resize_bilinear_sum_cuda(queue, {}, out.map()), Catch::Contains("1 to 8 inputs, found 0"));
}
