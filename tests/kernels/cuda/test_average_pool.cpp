// Average pooling on the GPU, adaptive and by windows, against the loops that define it.
#include "kernels/pool/average_pool_cuda.h"
#include "kernels/pool/average_windows_cuda.h"
#include "kernels/pool/pool.h"
#include "placed_map.h"
#include "tests/kernels/pool_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

TEST_CASE("adaptive average pools on the GPU") {
  for (const AveragePoolCase& c : average_pool_cases)
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << c << " " << testing::name_of(place));
        PlacedMap in(type, c.in, place), out(type, c.out(), place), want(type, c.out(), place);
        in.fill_input(1), out.fill(2), want.fill(2);
        adaptive_average_pool_ref(in.map(), want.map());
        const DeviceMap device_in(in), device_out(out);
        adaptive_average_pool_cuda(Gpu::instance().queue(), *device_in, *device_out);
        device_out.download(out);
        // A thread adds at most n / 64 + 1 numbers below 1, then 6 levels of sums, 7 more, and a quotient.
        const double steps = static_cast<double>(c.in.height * c.in.width) / 64 + 1 + 6 + 8 + 1;
        out.require_near(want, [&](double value) { return steps * kUnitFp32 + rounding(type, value); });
      }
}

TEST_CASE("average pools of windows on the GPU") {
  for (const AverageWindowCase& c : average_window_cases)
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << c << " " << testing::name_of(place));
        PlacedMap in(type, c.in, place), out(type, c.out(), place), want(type, c.out(), place);
        in.fill_input(1), out.fill(2), want.fill(2);
        average_pool_ref(c.geometry, in.map(), want.map());
        const DeviceMap device_in(in), device_out(out);
        average_pool_cuda(Gpu::instance().queue(), c.geometry, *device_in, *device_out);
        device_out.download(out);
        // Sums of numbers below 1, one after the other, a reciprocal and a product.
        const double steps = c.geometry.kernel * c.geometry.kernel + 3;
        out.require_near(want, [&](double value) { return steps * kUnitFp32 + rounding(type, value); });
      }
}

TEST_CASE("average pools of windows refuse what they cannot do") {
  PlacedMap in(DataType::f16, {1, 5, 4, 8}, Place::dense), out(DataType::f16, {1, 2, 2, 8}, Place::dense);
  const auto pool = [&](const AveragePoolGeometry& geometry) {
    average_pool_cuda(Gpu::instance().queue(), geometry, in.map(), out.map());
  };
  CHECK_THROWS_WITH(pool({2, 2}), Catch::Contains("expected an output of [1, 3, 2, 8], found [1, 2, 2, 8]"));
  CHECK_THROWS_WITH(pool({2, 3}), Catch::Contains("expected a stride from 1 to the window's 2, found 3"));
}

TEST_CASE("average pools refuse what they cannot do") {
  PlacedMap in(DataType::f16, {1, 4, 4, 8}, Place::dense), out(DataType::f16, {2, 2, 2, 8}, Place::dense);
  CHECK_THROWS_WITH(adaptive_average_pool_cuda(Gpu::instance().queue(), in.map(), out.map()),
                    Catch::Contains("expected an output of 1 images"));
}
