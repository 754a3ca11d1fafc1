// Pyramid pooling on the GPU against the three operations that it joins.
#include "kernels/conv/conv.h"
#include "kernels/pool/pool.h"
#include "kernels/ppm/ppm_cuda.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

/// Rows of weights as launchers want them, on the device, and as the reference reads them.
struct Rows {
  std::vector<float> plain;
  std::unique_ptr<DeviceTensor> device;

  Rows(unsigned seed, DataType type, std::int64_t rows, std::int64_t columns) : plain(numbers(seed, rows * columns)) {
    OwnedTensor padded(type, 1, rows, 1, pyramid_weight_stride(columns), 0);
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c)
        set(*padded, 0, r, 0, c, plain[static_cast<std::size_t>(r * columns + c)]);
    device = std::make_unique<DeviceTensor>(*padded);
  }
};

std::vector<float> magnitudes(std::vector<float> values) {
  for (float& v : values) v = std::abs(v);
  return values;
}

/// The three operations in double, rounded between: the reference, and, of magnitudes, what its rounding errors grow
/// by.
void branch_ref(const Tensor& in, const std::vector<float>& stage, const std::vector<float>& stage_bias,
                const std::vector<float>& bottleneck, const std::vector<float>* bias, const Tensor& out) {
  OwnedTensor means(DataType::f32, in.batch, out.height, out.width, in.channels, 0),
      hidden(DataType::f32, in.batch, out.height, out.width, static_cast<std::int64_t>(stage_bias.size()), 0);
  adaptive_average_pool_ref(in, *means);
  conv_ref({}, *means, stage.data(), stage_bias.data(), nullptr, nullptr, Activation::relu, *hidden);
  conv_ref({}, *hidden, bottleneck.data(), bias != nullptr ? bias->data() : nullptr, nullptr, nullptr, Activation::none,
           out);
}

}  // namespace

TEST_CASE("pyramid pooling on the GPU") {
  // Map, hidden and output channels, sizes: 1, odd ones, more than 256, the encoder's.
  for (const auto& [s, hidden, channels, sizes] :
       std::vector<std::tuple<MapShape, int, int, std::vector<int>>>{{{1, 1, 1, 1}, 1, 1, {1}},
                                                                     {{2, 5, 7, 9}, 3, 7, {1, 2, 3, 6}},
                                                                     {{1, 4, 3, 264}, 33, 261, {2, 3}},
                                                                     {{2, 13, 11, 20}, 300, 16, {5}},
                                                                     {{2, 20, 27, 256}, 64, 256, {1, 2, 3, 6}}})
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const Place place : kAllPlaces) {
        // The encoder's own takes its time on the virtual GPU: once is enough.
        if (place != Place::padded && s.height * s.width * s.channels > 100000) continue;
        INFO(maskrt::name_of(type) << " " << s.batch << "x" << s.height << "x" << s.width << "x" << s.channels << ", "
                                   << hidden << " hidden, " << channels << " channels, " << sizes.size() << " sizes, "
                                   << testing::name_of(place));
        PlacedMap in(type, s, place);
        in.fill_input(1);
        const DeviceMap device_in(in);
        OwnedTensor sizes_of_in(DataType::f32, s.batch, s.height, s.width, s.channels, 0);
        for_each_element(*sizes_of_in, [&](auto b, auto y, auto x, auto c) {
          set(*sizes_of_in, b, y, x, c, std::abs(get(in.map(), b, y, x, c)));
        });
        std::vector<std::unique_ptr<PlacedMap>> outs, wants;
        std::vector<std::unique_ptr<OwnedTensor>> sums;
        std::vector<std::unique_ptr<DeviceMap>> device_outs;
        std::vector<Rows> weights;
        std::vector<std::unique_ptr<DeviceArray<float>>> biases;
        std::vector<PyramidBranch> branches;
        for (const int size : sizes) {
          const auto seed = static_cast<unsigned>(size);
          const MapShape cells{s.batch, size, size, channels};
          outs.push_back(std::make_unique<PlacedMap>(type, cells, place));
          wants.push_back(std::make_unique<PlacedMap>(type, cells, place));
          outs.back()->fill(seed), wants.back()->fill(seed);
          device_outs.push_back(std::make_unique<DeviceMap>(*outs.back()));
          Rows stage(seed + 10, type, hidden, s.channels), bottleneck(seed + 20, type, channels, hidden);
          // fp16 holds what bf16 holds of such numbers, so both sides multiply the same weights.
          const std::vector<float> stage_bias = numbers(seed + 30, hidden), bias = numbers(seed + 40, channels);
          biases.push_back(std::make_unique<DeviceArray<float>>(stage_bias));
          const bool last = size == sizes.back();  // that one has the bottleneck's bias
          if (last) biases.push_back(std::make_unique<DeviceArray<float>>(bias));

          branch_ref(in.map(), stage.plain, stage_bias, bottleneck.plain, last ? &bias : nullptr, wants.back()->map());
          const std::vector<float> bias_sizes = magnitudes(bias);
          sums.push_back(std::make_unique<OwnedTensor>(DataType::f32, s.batch, size, size, channels, 0));
          branch_ref(*sizes_of_in, magnitudes(stage.plain), magnitudes(stage_bias), magnitudes(bottleneck.plain),
                     last ? &bias_sizes : nullptr, **sums.back());

          PyramidBranch branch;
          branch.stage_weight = (**stage.device).data;
          branch.stage_bias = biases[biases.size() - (last ? 2 : 1)]->data();
          branch.hidden = hidden;
          branch.bottleneck_weight = (**bottleneck.device).data;
          branch.bottleneck_bias = last ? biases.back()->data() : nullptr;
          branch.out = **device_outs.back();
          branches.push_back(branch);
          weights.push_back(std::move(stage));
          weights.push_back(std::move(bottleneck));
        }
        pyramid_pool_cuda(Gpu::instance().queue(), *device_in, branches);
        for (std::size_t i = 0; i < sizes.size(); ++i) {
          INFO("size " << sizes[i]);
          device_outs[i]->download(*outs[i]);
          // A number meets n / 32 + 33 sums and a quotient in its mean, then a product and the sums of a lane and of
          // the lanes that share a row, twice. The sum of magnitudes grows by a unit in each.
          const double steps = static_cast<double>(s.height * s.width) / 32 + 34 +
                               (static_cast<double>(s.channels) / 32 + 8 + 7) + (hidden / 8.0 + 8 + 5) + 2;
          const Tensor of = wants[i]->map();
          outs[i]->require_near_at(*wants[i], [&](auto b, auto y, auto x, auto c) {
            return steps * kUnitFp32 * get(**sums[i], b, y, x, c) + rounding(type, get(of, b, y, x, c));
          });
        }
      }
}

TEST_CASE("pyramid pooling refuses what it cannot do") {
  PlacedMap in(DataType::f16, {1, 4, 4, 8}, Place::dense), out(DataType::f32, {1, 2, 2, 8}, Place::dense);
  PyramidBranch branch;
  branch.hidden = 4;
  branch.out = out.map();
  CudaQueue& queue = Gpu::instance().queue();
  CHECK_THROWS_WITH(pyramid_pool_cuda(queue, in.map(), {&branch, 1}),
                    Catch::Contains("expected (fp32, fp32) or (fp16, fp16), found (fp16, fp32)"));
  CHECK_THROWS_WITH(pyramid_pool_cuda(queue, in.map(), {}), Catch::Contains("expected 1 to 8 branches"));
}
