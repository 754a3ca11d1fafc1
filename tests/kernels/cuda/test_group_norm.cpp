// Group norms on the GPU against the loop that defines them.
#include "kernels/norm/group_norm.h"
#include "kernels/norm/group_norm_cuda.h"
#include "placed_map.h"
#include "tests/kernels/group_norm_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

constexpr DataType kTypes[] = {DataType::f32, DataType::f16};

struct Norm {
  const GroupNormCase& c;
  std::vector<float> weight = numbers(4, c.in.channels), bias = numbers(5, c.in.channels);

  void reference(const Tensor& in, const Tensor& out) const {
    group_norm_ref(in, weight.data(), bias.data(), c.groups, c.epsilon, c.activation, out, kGroupNormSlope);
  }
  void launch(const Tensor& in, const Tensor& out) const {
    const DeviceArray<float> device_weight(weight), device_bias(bias);
    group_norm_cuda(Gpu::instance().queue(), in, device_weight.data(), device_bias.data(), c.groups, c.epsilon,
                    c.activation, out, kGroupNormSlope);
    Gpu::instance().synchronize();
  }
  void check(DataType type, Place place) const {
    INFO(maskrt::name_of(type) << " " << c << ", " << testing::name_of(place));
    PlacedMap in(type, c.in, place), out(type, c.in, place), want(type, c.in, place);
    in.fill(1, c.mean - 1, c.mean + 1).poison_around(), out.fill(3), want.fill(3);
    reference(in.map(), want.map());
    const DeviceMap device_in(in), device_out(out);
    launch(*device_in, *device_out);
    device_out.download(out);
    const Tensor wanted = want.map();
    const GroupNormError error(c, in.map());
    out.require_near_at(want, [&](auto b, auto y, auto x, auto channel) {
      return error(b, y, x, channel) + rounding(type, get(wanted, b, y, x, channel));
    });
  }
};

}  // namespace

TEST_CASE("group norms on the GPU") {
  for (const DataType type : kTypes)
    for (const GroupNormCase& c : group_norm_cases)
      for (const Place place : kAllPlaces) Norm{c}.check(type, place);
}

TEST_CASE("group norms on the GPU in place, with the same bits every time") {
  for (const DataType type : kTypes)
    for (const GroupNormCase& c : group_norm_cases) {
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

TEST_CASE("group norms on the GPU of maps that clusters share, and of more positions than shared memory holds") {
  for (const GroupNormCase& c :
       {GroupNormCase{{1, 40, 54, 256}, 32, 1e-5, Activation::relu}, GroupNormCase{{1, 211, 280, 16}, 2}})
    Norm{c}.check(DataType::f16, Place::dense);
}

TEST_CASE("group norms refuse what they cannot do") {
  PlacedMap a(DataType::f32, {1, 2, 3, 8}, Place::dense), b(DataType::f32, {1, 3, 2, 8}, Place::dense),
      half(DataType::f16, {1, 2, 3, 8}, Place::dense), wide(DataType::f16, {1, 1, 1, 8200}, Place::dense);
  CudaQueue& queue = Gpu::instance().queue();
  const auto launch = [&](const Tensor& in, int groups, const Tensor& out) {
    group_norm_cuda(queue, in, nullptr, nullptr, groups, 1e-5, Activation::none, out);
  };
  CHECK_THROWS_WITH(launch(a.map(), 2, b.map()),
                    Catch::Contains("group norm: input and output: expected equal shapes, found [1, 2, 3, 8] and"));
  CHECK_THROWS_WITH(launch(a.map(), 2, half.map()),
                    "group norm (input, output): expected (fp32, fp32) or (fp16, fp16), found (fp32, fp16)");
  CHECK_THROWS_WITH(launch(a.map(), 3, a.map()), "group norm: expected groups that divide 8 channels, found 3");
  CHECK_THROWS_WITH(launch(wide.map(), 1, wide.map()), Catch::Contains("found 8200 channels in groups of 8200"));
}
