// Resizing on the GPU against the loops that define it.
#include "kernels/resize/resize.h"
#include "kernels/resize/resize_cuda.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

TEST_CASE("nearest neighbours on the GPU") {
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const auto& [s, factor] : std::vector<std::pair<MapShape, int>>{
             {{1, 1, 1, 1}, 1}, {{2, 3, 5, 7}, 3}, {{1, 5, 17, 264}, 2}, {{1, 10, 13, 64}, 2}, {{3, 2, 31, 33}, 2}})
      for (const Place place : all_places) {
        INFO(maskrt::name_of(type) << " " << s.height << "x" << s.width << "x" << s.channels << " by " << factor << " "
                                   << testing::name_of(place));
        const MapShape larger{s.batch, s.height * factor, s.width * factor, s.channels};
        PlacedMap in(type, s, place), out(type, larger, place), want(type, larger, place);
        in.fill_input(1), out.fill(2), want.fill(2);
        upsample_nearest_ref(in.map(), factor, want.map());
        const DeviceMap device_in(in), device_out(out);
        upsample_nearest_cuda(Gpu::instance().queue(), *device_in, factor, *device_out);
        device_out.download(out);
        out.require_near(want, [](double) { return 0.0; });
      }
}

TEST_CASE("sums of bilinear resizes on the GPU") {
  using Sizes = std::vector<std::pair<int, int>>;
  // One and many sources, larger and smaller than the output; the pyramid's, and the encoder's last sum, cut.
  for (const auto& [sizes, out_size, channels] : std::vector<std::tuple<Sizes, std::pair<int, int>, int>>{
           {{{1, 1}}, {1, 1}, 1},
           {{{3, 5}}, {7, 11}, 7},
           {{{9, 7}}, {4, 3}, 8},
           {{{1, 1}, {2, 2}, {3, 3}, {6, 6}}, {20, 27}, 40},
           {{{5, 7}, {10, 14}}, {20, 28}, 257},
           {{{2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}, {3, 1}}, {5, 33}, 16}})
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const Place place : all_places)
        for (const DataType to : {type, DataType::f32}) {
          INFO(maskrt::name_of(type) << " to " << maskrt::name_of(to) << ", " << sizes.size() << " inputs, "
                                     << out_size.first << "x" << out_size.second << "x" << channels << " "
                                     << testing::name_of(place));
          std::vector<std::unique_ptr<PlacedMap>> inputs;
          std::vector<std::unique_ptr<DeviceMap>> device_inputs;
          std::vector<Tensor> here, there;
          for (const auto& [height, width] : sizes) {
            inputs.push_back(std::make_unique<PlacedMap>(type, MapShape{2, height, width, channels}, place));
            inputs.back()->fill_input(static_cast<unsigned>(inputs.size()));
            device_inputs.push_back(std::make_unique<DeviceMap>(*inputs.back()));
            here.push_back(inputs.back()->map());
            there.push_back(**device_inputs.back());
          }
          const MapShape s{2, out_size.first, out_size.second, channels};
          PlacedMap out(to, s, place), want(to, s, place);
          out.fill(9), want.fill(9);
          resize_bilinear_sum_ref(here, want.map());
          const DeviceMap device_out(out);
          resize_bilinear_sum_cuda(Gpu::instance().queue(), there, *device_out);
          device_out.download(out);
          // Three products and sums for each row of each source, whose values are below 1, and their sum.
          const double n = static_cast<double>(sizes.size());
          out.require_near(want, [&](double value) { return 8 * n * unit_fp32 * n + rounding(to, value); });
        }
}

TEST_CASE("bilinear resizes by a factor on the GPU") {
  for (const double factor : {1.0, 2.0, 1.5, 0.7})
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const DataType to : {type, DataType::f32}) {
        INFO(maskrt::name_of(type) << " to " << maskrt::name_of(to) << " by " << factor);
        const MapShape s{2, 9, 13, 100};
        const MapShape scaled{2, static_cast<std::int64_t>(9 * factor), static_cast<std::int64_t>(13 * factor), 100};
        PlacedMap in(type, s, Place::padded), out(to, scaled, Place::padded), want(to, scaled, Place::padded);
        in.fill_input(1), out.fill(2), want.fill(2);
        resize_bilinear_factor_ref(in.map(), factor, want.map());
        const DeviceMap device_in(in), device_out(out);
        resize_bilinear_factor_cuda(Gpu::instance().queue(), *device_in, factor, *device_out);
        device_out.download(out);
        out.require_near(want, [&](double value) { return 8 * unit_fp32 + rounding(to, value); });
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
