// Instance activation maps on the GPU against the loops that define them.
#include "kernels/iam/iam.h"
#include "kernels/iam/iam_cuda.h"
#include "placed_map.h"
#include "tests/kernels/iam_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

/// The real layers take their time on the virtual GPU: once is enough.
bool is_large(const AggregationCase& c) { return c.height * c.width * c.maps > 20000; }

}  // namespace

TEST_CASE("aggregation on the GPU") {
  const Chip& chip = Gpu::instance().chip();
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const AggregationCase& c : aggregation_cases)
      for (const MapWeights weights : {MapWeights::plain, MapWeights::sigmoid, MapWeights::softmax})
        for (const Place place : {Place::padded, Place::slice, Place::odd_slice}) {
          if (place != Place::padded && is_large(c)) continue;
          INFO(maskrt::name_of(type) << " " << c.batch << "x" << c.height << "x" << c.width << ", " << c.channels
                                     << " channels, " << c.maps << " maps, weights " << static_cast<int>(weights)
                                     << ", " << testing::name_of(place));
          PlacedMap maps(type, {c.batch, c.height, c.width, c.maps}, place),
              features(type, {c.batch, c.height, c.width, c.channels}, place);
          // Logits down to e^-14, which fp16 does not hold as it is.
          maps.fill_input(1, weights == MapWeights::plain ? 0.0f : -14.0f, weights == MapWeights::plain ? 1.0f : 2.0f);
          features.fill_input(2);
          PlacedMap out(DataType::f32, {c.batch, c.maps, 1, c.channels}, place),
              want(DataType::f32, {c.batch, c.maps, 1, c.channels}, place);
          out.fill(3), want.fill(3);
          const Tensor parts[] = {maps.map()};
          aggregate_ref(parts, features.map(), weights, 1e-6, want.map());
          const DeviceMap device_maps(maps), device_features(features), device_out(out);
          const DeviceBytes workspace(aggregate_workspace_bytes(chip, *device_maps, *device_features, weights));
          aggregate_cuda(Gpu::instance().queue(), *device_maps, *device_features, weights, 1e-6, workspace.data(),
                         *device_out);
          device_out.download(out);
          workspace.require_intact();
          // Weights that add up to 1 (plain: to n at most), features below 1: each sum's rounding is that of n terms, a
          // truncation on tensor cores. A weight has a few units of its own, fp16 one rounding more, which the
          // normaliser shares.
          const double n = static_cast<double>(c.height * c.width), sum = weights == MapWeights::plain ? n : 1;
          const double each = type == DataType::f16 && weights != MapWeights::plain ? kUnitFp16 : 0;
          out.require_near(want, [&](double) { return sum * (2 * each + kUnitFp32 * (32 + 2 * n)); });
        }
}

TEST_CASE("aggregation of maps in groups takes no notice of what is between them") {
  struct Groups {
    std::int64_t count, maps, stride;
  };
  // Groups that end inside tiles of 64 and 112 maps and at their borders; strides of all kinds.
  const Groups all[] = {{1, 5, 8}, {3, 7, 7}, {4, 33, 48}, {3, 100, 112}, {2, 100, 104}, {5, 13, 17}};
  const Chip& chip = Gpu::instance().chip();
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const Groups& g : all)
      for (const MapWeights weights : {MapWeights::plain, MapWeights::sigmoid, MapWeights::softmax}) {
        INFO(maskrt::name_of(type) << " " << g.count << " groups of " << g.maps << " maps, " << g.stride
                                   << " apart, weights " << static_cast<int>(weights));
        const std::int64_t batch = 2, height = 5, width = 9, channels = 40;
        OwnedTensor stored(type, batch, height, width, g.count * g.stride, 0),
            maps(type, batch, height, width, g.count * g.maps, 0);
        stored.fill(1, weights == MapWeights::plain ? 0.0f : -14.0f, weights == MapWeights::plain ? 1.0f : 2.0f);
        for_each_element(*maps, [&](auto b, auto y, auto x, auto m) {
          set(*maps, b, y, x, m, get(*stored, b, y, x, m / g.maps * g.stride + m % g.maps));
        });
        PlacedMap features(type, {batch, height, width, channels}, Place::padded);
        features.fill_input(2);
        const MapShape list{batch, g.count * g.maps, 1, channels};
        PlacedMap out(DataType::f32, list, Place::padded), want(DataType::f32, list, Place::padded);
        out.fill(3), want.fill(3);
        const Tensor parts[] = {*maps};
        aggregate_ref(parts, features.map(), weights, 1e-6, want.map());
        const DeviceTensor device_stored(*stored);
        Tensor grouped = *device_stored;
        grouped.channels = g.count * g.maps;
        const MapGroups groups{g.maps, g.stride};
        const DeviceMap device_features(features), device_out(out);
        const DeviceBytes workspace(aggregate_workspace_bytes(chip, grouped, *device_features, weights, groups));
        aggregate_cuda(Gpu::instance().queue(), grouped, *device_features, weights, 1e-6, workspace.data(), *device_out,
                       groups);
        device_out.download(out);
        workspace.require_intact();
        const double n = static_cast<double>(height * width), sum = weights == MapWeights::plain ? n : 1;
        const double each = type == DataType::f16 && weights != MapWeights::plain ? kUnitFp16 : 0;
        out.require_near(want, [&](double) { return sum * (2 * each + kUnitFp32 * (32 + 2 * n)); });
      }
}

TEST_CASE("aggregation adds the bias of logits that are stored without it") {
  struct Groups {
    std::int64_t count, maps, stride;
  };
  // One group of all maps, groups that end within an octet and within a tile, and maps that no octet holds.
  const Groups all[] = {{1, 40, 40}, {4, 33, 48}, {3, 100, 112}, {2, 13, 17}, {1, 5, 5}};
  const Chip& chip = Gpu::instance().chip();
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const Groups& g : all)
      for (const MapWeights weights : {MapWeights::sigmoid, MapWeights::softmax}) {
        INFO(maskrt::name_of(type) << " " << g.count << " groups of " << g.maps << " maps, " << g.stride
                                   << " apart, weights " << static_cast<int>(weights));
        const std::int64_t batch = 2, height = 5, width = 9, channels = 40, rows = g.count * g.maps;
        OwnedTensor stored(type, batch, height, width, g.count * g.stride, 0),
            maps(DataType::f32, batch, height, width, rows, 0);
        stored.fill(1, -1.0f, 1.0f);
        std::vector<float> bias;
        for (std::int64_t m = 0; m < rows; ++m)
          bias.push_back(-14.0f + 16.0f * static_cast<float>(m * 7 % rows) / static_cast<float>(rows));
        for_each_element(*maps, [&](auto b, auto y, auto x, auto m) {
          set(*maps, b, y, x, m,
              get(*stored, b, y, x, m / g.maps * g.stride + m % g.maps) + bias[static_cast<std::size_t>(m)]);
        });
        PlacedMap features(type, {batch, height, width, channels}, Place::padded);
        features.fill_input(2);
        const MapShape list{batch, rows, 1, channels};
        PlacedMap out(DataType::f32, list, Place::padded), want(DataType::f32, list, Place::padded);
        out.fill(3), want.fill(3);
        const Tensor parts[] = {*maps};
        aggregate_ref(parts, features.map(), weights, 1e-6, want.map());
        const DeviceTensor device_stored(*stored);
        const DeviceArray<float> device_bias(bias);
        Tensor grouped = *device_stored;
        grouped.channels = rows;
        const MapGroups groups{g.maps, g.stride};
        const DeviceMap device_features(features), device_out(out);
        const DeviceBytes workspace(aggregate_workspace_bytes(chip, grouped, *device_features, weights, groups));
        aggregate_cuda(Gpu::instance().queue(), grouped, *device_features, weights, 1e-6, workspace.data(), *device_out,
                       groups, device_bias.data());
        device_out.download(out);
        workspace.require_intact();
        // As without a bias; the exponent of a weight is a sum of up to 14 log2 e, in fp32.
        const double n = static_cast<double>(height * width), each = type == DataType::f16 ? kUnitFp16 : 0;
        out.require_near(want, [&](double) { return 2 * each + kUnitFp32 * (64 + 2 * n); });
      }
}

TEST_CASE("aggregation of maps that are zero nearly everywhere divides by epsilon") {
  const Chip& chip = Gpu::instance().chip();
  for (const DataType type : {DataType::f32, DataType::f16}) {
    PlacedMap maps(type, {1, 3, 5, 8}, Place::dense), features(type, {1, 3, 5, 8}, Place::dense);
    // e^-18 fifteen times is below 1e-6.
    maps.fill_input(1, -18.01f, -18.0f);
    features.fill_input(2, 0.5f, 1.0f);
    PlacedMap out(DataType::f32, {1, 8, 1, 8}, Place::dense), want(DataType::f32, {1, 8, 1, 8}, Place::dense);
    out.fill(3);
    const Tensor parts[] = {maps.map()};
    aggregate_ref(parts, features.map(), MapWeights::sigmoid, 1e-6, want.map());
    const DeviceMap device_maps(maps), device_features(features), device_out(out);
    const DeviceBytes workspace(aggregate_workspace_bytes(chip, *device_maps, *device_features, MapWeights::sigmoid));
    aggregate_cuda(Gpu::instance().queue(), *device_maps, *device_features, MapWeights::sigmoid, 1e-6, workspace.data(),
                   *device_out);
    device_out.download(out);
    const double each = type == DataType::f16 ? kUnitFp16 : 32 * kUnitFp32;
    out.require_near(want, [&](double value) { return 2 * each * value; });
  }
}

TEST_CASE("normalised maps and softmax over positions on the GPU") {
  const Chip& chip = Gpu::instance().chip();
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const AggregationCase& c : aggregation_cases)
      for (const bool softmax : {false, true})
        for (const Place place : kAllPlaces) {
          if (place != Place::padded && is_large(c)) continue;
          INFO(maskrt::name_of(type) << " " << c.batch << "x" << c.height << "x" << c.width << ", " << c.maps
                                     << " maps, softmax " << softmax << ", " << testing::name_of(place));
          const MapShape s{c.batch, c.height, c.width, c.maps};
          PlacedMap maps(type, s, place), out(type, s, place), want(type, s, place);
          maps.fill_input(1, softmax ? -10.0f : 0.0f, softmax ? 5.0f : 1.0f);
          out.fill(2), want.fill(2);
          softmax ? softmax_maps_ref(maps.map(), want.map()) : normalise_maps_ref(maps.map(), 1e-6, want.map());
          const DeviceMap device_maps(maps), device_out(out);
          const DeviceBytes workspace(normalise_maps_workspace_bytes(chip, *device_maps));
          if (softmax)
            softmax_maps_cuda(Gpu::instance().queue(), *device_maps, workspace.data(), *device_out);
          else
            normalise_maps_cuda(Gpu::instance().queue(), *device_maps, 1e-6, workspace.data(), *device_out);
          device_out.download(out);
          workspace.require_intact();
          // Sums over at most n / 64 numbers a thread, 15 levels, the stretches; the exponential of up to 15 within
          // 15 units of its argument and 2 of its own.
          const double steps = static_cast<double>(c.height * c.width) / 64 + 32 + (softmax ? 34 : 0);
          out.require_near(want,
                           [&](double value) { return steps * kUnitFp32 * std::abs(value) + rounding(type, value); });
        }
}

TEST_CASE("aggregation refuses what it cannot do") {
  PlacedMap maps(DataType::f16, {1, 4, 4, 8}, Place::dense), features(DataType::f16, {1, 4, 5, 8}, Place::dense),
      wide(DataType::f32, {1, 4, 4, 8}, Place::dense);
  OwnedTensor out(DataType::f32, 1, 8, 1, 8, 0);
  CudaQueue& queue = Gpu::instance().queue();
  CHECK_THROWS_WITH(aggregate_cuda(queue, maps.map(), features.map(), MapWeights::plain, 0, nullptr, *out),
                    Catch::Contains("for maps [1, 4, 4, 8], found [1, 4, 5, 8]"));
  CHECK_THROWS_WITH(aggregate_cuda(queue, maps.map(), wide.map(), MapWeights::plain, 0, nullptr, *out),
                    Catch::Contains("aggregate (maps, features): expected (fp32, fp32) or (fp16, fp16), found ("));
  CHECK_THROWS_WITH(aggregate_cuda(queue, maps.map(), maps.map(), MapWeights::plain, 0, nullptr, *out, {4, 6}),
                    Catch::Contains("expected groups of 4 maps, 6 channels apart, found 8 maps in blocks of 8"));
}
