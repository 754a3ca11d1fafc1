// Adaptive average pooling on the GPU against the loop that defines it.
#include "kernels/pool/average_pool_cuda.h"
#include "kernels/pool/pool.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

TEST_CASE("adaptive average pools on the GPU") {
  // Windows of one position, that overlap, that are the whole map; fewer rows than cells; the coarsest map at 640x864.
  for (const auto& [s, height, width] : std::vector<std::tuple<MapShape, int, int>>{{{1, 1, 1, 1}, 1, 1},
                                                                                    {{2, 3, 5, 7}, 2, 3},
                                                                                    {{1, 7, 7, 8}, 6, 6},
                                                                                    {{1, 2, 3, 33}, 6, 6},
                                                                                    {{2, 13, 17, 31}, 3, 3},
                                                                                    {{1, 20, 27, 64}, 1, 1},
                                                                                    {{1, 20, 27, 64}, 6, 6}})
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const Place place : all_places) {
        INFO(maskrt::name_of(type) << " " << s.height << "x" << s.width << "x" << s.channels << " to " << height << "x"
                                   << width << " " << testing::name_of(place));
        const MapShape cells{s.batch, height, width, s.channels};
        PlacedMap in(type, s, place), out(type, cells, place), want(type, cells, place);
        in.fill_input(1), out.fill(2), want.fill(2);
        adaptive_average_pool_ref(in.map(), want.map());
        const DeviceMap device_in(in), device_out(out);
        adaptive_average_pool_cuda(Gpu::instance().queue(), *device_in, *device_out);
        device_out.download(out);
        // A thread adds at most n / 64 + 1 numbers below 1, then 6 levels of sums, 7 more, and a quotient.
        const double steps = static_cast<double>(s.height * s.width) / 64 + 1 + 6 + 8 + 1;
        out.require_near(want, [&](double value) { return steps * unit_fp32 + rounding(type, value); });
      }
}

TEST_CASE("average pools refuse what they cannot do") {
  PlacedMap in(DataType::f16, {1, 4, 4, 8}, Place::dense), out(DataType::f16, {2, 2, 2, 8}, Place::dense);
  CHECK_THROWS_WITH(adaptive_average_pool_cuda(Gpu::instance().queue(), in.map(), out.map()),
                    Catch::Contains("expected an output of 1 images"));
}
