// Layer norms on the GPU against the loop that defines them.
#include "kernels/norm/layer_norm.h"
#include "kernels/norm/layer_norm_cuda.h"
#include "placed_map.h"
#include "tests/kernels/layer_norm_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

constexpr DataType kTypes[] = {DataType::f32, DataType::f16};

struct Norm {
  const LayerNormCase& c;
  std::vector<float> weight = numbers(4, c.in.channels), bias = numbers(5, c.in.channels);

  void reference(const Tensor& in, const Tensor& out) const {
    layer_norm_ref(in, weight.data(), bias.data(), c.epsilon, c.activation, out, kLayerNormSlope);
  }
  void launch(const Tensor& in, const Tensor& out) const {
    const DeviceArray<float> device_weight(weight), device_bias(bias);
    layer_norm_cuda(Gpu::instance().queue(), in, device_weight.data(), device_bias.data(), c.epsilon, c.activation, out,
                    kLayerNormSlope);
    Gpu::instance().synchronize();
  }
};

}  // namespace

TEST_CASE("layer norms on the GPU") {
  for (const DataType type : kTypes)
    for (const LayerNormCase& c : layer_norm_cases)
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << c << ", " << testing::name_of(place));
        const Norm norm{c};
        PlacedMap in(type, c.in, place), out(type, c.in, place), want(type, c.in, place);
        in.fill(1, c.mean - 1, c.mean + 1).poison_around(), out.fill(3), want.fill(3);
        norm.reference(in.map(), want.map());
        const DeviceMap device_in(in), device_out(out);
        norm.launch(*device_in, *device_out);
        device_out.download(out);
        const Tensor from = in.map(), wanted = want.map();
        out.require_near_at(want, [&](auto b, auto y, auto x, auto channel) {
          return layer_norm_error(c, from, b, y, x, channel) + rounding(type, get(wanted, b, y, x, channel));
        });
      }
}

TEST_CASE("layer norms on the GPU in place, with the same bits every time") {
  for (const DataType type : kTypes)
    for (const LayerNormCase& c : layer_norm_cases) {
      INFO(maskrt::name_of(type) << " " << c);
      const Norm norm{c};
      PlacedMap in(type, c.in, Place::padded), apart(type, c.in, Place::padded), in_place(type, c.in, Place::padded);
      in.fill_input(1, c.mean - 1, c.mean + 1), apart.fill(3), in_place.fill_input(1, c.mean - 1, c.mean + 1);
      const DeviceMap device_in(in), device_apart(apart), device_in_place(in_place);
      norm.launch(*device_in, *device_apart);
      norm.launch(*device_in_place, *device_in_place);
      device_apart.download(apart);
      device_in_place.download(in_place);
      in_place.require_near(apart, [](double) { return 0.0; });
    }
}

TEST_CASE("layer norms on the GPU of a map that fills the chip several times") {
  // Each group of lanes then has several positions, the last block's do not all exist.
  const LayerNormCase c{{1, 211, 157, 64}};
  const Norm norm{c};
  PlacedMap in(DataType::f16, c.in, Place::dense), out(DataType::f16, c.in, Place::dense),
      want(DataType::f16, c.in, Place::dense);
  in.fill(1), out.fill(3);
  norm.reference(in.map(), want.map());
  const DeviceMap device_in(in), device_out(out);
  norm.launch(*device_in, *device_out);
  device_out.download(out);
  const Tensor from = in.map(), wanted = want.map();
  out.require_near_at(want, [&](auto b, auto y, auto x, auto channel) {
    return layer_norm_error(c, from, b, y, x, channel) + rounding(DataType::f16, get(wanted, b, y, x, channel));
  });
}

TEST_CASE("layer norms refuse what they cannot do") {
  PlacedMap a(DataType::f32, {1, 2, 3, 8}, Place::dense), b(DataType::f32, {1, 3, 2, 8}, Place::dense),
      half(DataType::f16, {1, 2, 3, 8}, Place::dense);
  CudaQueue& queue = Gpu::instance().queue();
  const auto launch = [&](const Tensor& in, const Tensor& out) {
    layer_norm_cuda(queue, in, nullptr, nullptr, 1e-5, Activation::none, out);
  };
  CHECK_THROWS_WITH(launch(a.map(), b.map()),
                    Catch::Contains("layer norm: input and output: expected equal shapes, found [1, 2, 3, 8] and"));
  CHECK_THROWS_WITH(launch(a.map(), half.map()),
                    "layer norm (input, output): expected (fp32, fp32) or (fp16, fp16), found (fp32, fp16)");
}
