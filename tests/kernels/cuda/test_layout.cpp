// Changes of layout and type on the GPU against the loops that define them: exact.
#include "kernels/layout/layout.h"
#include "kernels/layout/layout_cuda.h"
#include "placed_map.h"
#include "tests/kernels/layout_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

double exact(double) { return 0; }

}  // namespace

TEST_CASE("copies of channels between maps of either type on the GPU") {
  for (const DataType from : {DataType::f32, DataType::f16})
    for (const DataType to : {DataType::f32, DataType::f16})
      for (const MapShape& s : layout_cases)
        for (const Place place : kAllPlaces)
          for (const auto& [in_begin, out_begin, count] : std::vector<std::tuple<int, int, std::int64_t>>{
                   {0, 0, s.channels}, {0, 8, s.channels - 8}, {8, 0, s.channels - 8}, {3, 1, s.channels - 4}}) {
            if (count < 1) continue;
            INFO(maskrt::name_of(from) << " to " << maskrt::name_of(to) << ", " << s << " " << testing::name_of(place)
                                       << ", " << count << " channels from " << in_begin << " to " << out_begin);
            PlacedMap in(from, s, Place::padded), out(to, s, place), want(to, s, place);
            in.fill_input(1);
            // A copy that stops short of the last channel leaves the padding alone.
            if (out_begin + count == s.channels)
              out.fill(2), want.fill(2);
            else
              out.fill_input(2), want.fill_input(2);
            copy_channels_ref(in.map(), in_begin, want.map(), out_begin, count);
            const DeviceMap device_in(in), device_out(out);
            copy_channels_cuda(Gpu::instance().queue(), *device_in, in_begin, *device_out, out_begin, count);
            device_out.download(out);
            out.require_near(want, exact);
          }
}

TEST_CASE("maps become planes and planes maps on the GPU") {
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const MapShape& s : layout_cases)
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << s << " " << testing::name_of(place));
        PlacedMap in(type, s, place), out(type, s, place);
        in.fill_input(1), out.fill(1);
        OwnedTensor planes(DataType::f32, s.batch, s.height, s.width, s.channels, 1),
            want(DataType::f32, s.batch, s.height, s.width, s.channels, 1);
        planes.poison();
        copy_channels_ref(in.map(), 0, *want, 0, s.channels);
        const DeviceMap device_in(in), device_out(out);
        const DeviceTensor device_planes(*planes);
        convert_cuda(Gpu::instance().queue(), *device_in, *device_planes);
        device_planes.download(*planes);
        require_close(planes, *want, [](auto...) { return 0.0; });

        // And back, into a map whose channels are other numbers, with the surroundings as they were.
        PlacedMap there(type, s, place);
        there.fill(1);
        for_each_element(there.map(), [&](auto b, auto y, auto x, auto c) { set(there.map(), b, y, x, c, 5.0f); });
        const DeviceMap device_there(there);
        convert_cuda(Gpu::instance().queue(), *device_planes, *device_there);
        device_there.download(there);
        there.require_near(in, exact);
      }
}

TEST_CASE("maps change their type on the GPU") {
  for (const MapShape& s : layout_cases)
    for (const Place place : kAllPlaces) {
      PlacedMap in(DataType::f32, s, place), out(DataType::f16, s, place), want(DataType::f16, s, place);
      in.fill_input(1), out.fill(2), want.fill(2);
      copy_channels_ref(in.map(), 0, want.map(), 0, s.channels);
      const DeviceMap device_in(in), device_out(out);
      convert_cuda(Gpu::instance().queue(), *device_in, *device_out);
      device_out.download(out);
      out.require_near(want, exact);
    }
}

TEST_CASE("coordinates on the GPU") {
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const auto& [height, width] : std::vector<std::pair<int, int>>{{1, 1}, {1, 7}, {20, 27}, {31, 1}, {5, 64}})
      for (const Place place : kAllPlaces) {
        const MapShape s{2, height, width, 2};
        PlacedMap out(type, s, place), want(type, s, place);
        out.fill(1), want.fill(1);
        coordinates_ref(want.map());
        const DeviceMap device(out);
        coordinates_cuda(Gpu::instance().queue(), *device);
        device.download(out);
        out.require_near(want, exact);
      }
}

TEST_CASE("layouts refuse what they cannot do") {
  PlacedMap a(DataType::f32, {1, 2, 3, 8}, Place::dense), b(DataType::f32, {1, 2, 3, 4}, Place::dense);
  CHECK_THROWS_WITH(copy_channels_cuda(Gpu::instance().queue(), a.map(), 0, b.map(), 2, 3),
                    Catch::Contains("expected some of 4 channels, found 2 to 4"));
  CHECK_THROWS_WITH(coordinates_cuda(Gpu::instance().queue(), a.map()),
                    Catch::Contains("expected two channels, found 8"));
}
