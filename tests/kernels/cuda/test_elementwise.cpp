// Elementwise operations on the GPU against the loops that define them.
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/elementwise_cuda.h"
#include "placed_map.h"
#include "tests/kernels/elementwise_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

/// Runs `reference(out)` on the host and `launch(out)` on the GPU for a map of each type, shape and place.
template <typename F>
void for_each_case(F&& f) {
  for (const DataType type : {DataType::f32, DataType::f16})
    for (const MapShape& s : elementwise_cases)
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << s << ", " << testing::name_of(place));
        f(type, s, place);
      }
}

}  // namespace

TEST_CASE("sums on the GPU") {
  for_each_case([](DataType type, const MapShape& s, Place place) {
    PlacedMap a(type, s, place), b(type, s, Place::dense), out(type, s, place), want(type, s, place);
    a.fill_input(1), b.fill_input(2), out.fill(3), want.fill(3);
    add_ref(a.map(), b.map(), want.map());
    const DeviceMap device_a(a), device_b(b), device_out(out);
    add_cuda(Gpu::instance().queue(), *device_a, *device_b, *device_out);
    device_out.download(out);
    out.require_near(want, [](double) { return 0.0; });
  });
}

TEST_CASE("activations on the GPU, in place") {
  for_each_case([](DataType type, const MapShape& s, Place place) {
    for (const Activation activation :
         {Activation::none, Activation::relu, Activation::sigmoid, Activation::leaky_relu, Activation::gelu}) {
      constexpr float slope = 0.1f;
      PlacedMap out(type, s, place), want(type, s, place);
      out.fill(1, -20, 20), want.fill(1, -20, 20);
      const Tensor wanted = want.map();
      for_each_element(wanted, [&](auto b, auto y, auto x, auto c) {
        set(wanted, b, y, x, c, activate(activation, get(wanted, b, y, x, c), slope));
      });
      const DeviceMap device(out);
      activate_cuda(Gpu::instance().queue(), activation, *device, *device, slope);
      device.download(out);
      // The exponential within 2 units in the last place, its sum with 1 half a unit, the reciprocal one; the
      // reference as much. GELU as activate_cuda promises.
      out.require_near(want, [&](double value) {
        if (activation == Activation::sigmoid) return 12 * kUnitFp32 * std::abs(value) + rounding(type, value);
        return activation == Activation::gelu ? 2 * kUnitFp32 * (1 + std::abs(value)) + rounding(type, value) : 0.0;
      });
    }
  });
}

TEST_CASE("GELU on the GPU at its ends and in between") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float odd[] = {0, 1e-30f, -1e-30f, 1e30f, -1e30f, infinity, 3e38f, -3e38f};
  OwnedTensor in(DataType::f32, 1, 1, 4097, 8, 0), out(DataType::f32, 1, 1, 4097, 8, 0);
  for_each_element(*in, [&](auto b, auto y, auto x, auto c) {
    const auto i = static_cast<float>((x - 1) * 8 + c);
    set(*in, b, y, x, c, x == 0 ? odd[c] : i / 32768 * 28 - 14);
  });
  const DeviceTensor device_in(*in), device_out(*out);
  activate_cuda(Gpu::instance().queue(), Activation::gelu, *device_in, *device_out);
  device_out.download(*out);
  for_each_element(*in, [&](auto b, auto y, auto x, auto c) {
    const double value = get(*in, b, y, x, c), want = value / 2 * std::erfc(-value / std::sqrt(2.0));
    const double got = get(*out, b, y, x, c), error = std::abs(got - want);
    const bool right =
        error <= 2 * kUnitFp32 * (1 + std::max(value, 0.0)) && (value < -5 || error <= 1e-4 * std::abs(want) + 1e-37);
    if (got != want && !right) FAIL("GELU of " << value << ": got " << got << ", want " << want);
  });
  set(*in, 0, 0, 0, 0, std::numeric_limits<float>::quiet_NaN());
  const DeviceTensor not_a_number(*in);
  activate_cuda(Gpu::instance().queue(), Activation::gelu, *not_a_number, *device_out);
  device_out.download(*out);
  CHECK(std::isnan(get(*out, 0, 0, 0, 0)));
}

TEST_CASE("scales and shifts on the GPU") {
  for_each_case([](DataType type, const MapShape& s, Place place) {
    PlacedMap in(type, s, Place::padded), out(type, s, place), want(type, s, place);
    in.fill_input(1), out.fill(3), want.fill(3);
    const std::vector<float> scale = numbers(4, s.channels), shift = numbers(5, s.channels);
    scale_shift_ref(in.map(), scale.data(), shift.data(), want.map());
    const DeviceMap device_in(in), device_out(out);
    const DeviceArray<float> device_scale(scale), device_shift(shift);
    scale_shift_cuda(Gpu::instance().queue(), *device_in, device_scale.data(), device_shift.data(), *device_out);
    device_out.download(out);
    // The product is below 1 and may go unrounded into the sum.
    out.require_near(want, [&](double value) { return 2 * kUnitFp32 * (1 + std::abs(value)) + rounding(type, value); });
  });
}

TEST_CASE("scales and shifts of fp16 are stored in fp32 where that is asked for") {
  for_each_case([](DataType type, const MapShape& s, Place place) {
    if (type != DataType::f16) return;
    PlacedMap in(type, s, place), out(DataType::f32, s, place), want(DataType::f32, s, place);
    in.fill_input(1), out.fill(3), want.fill(3);
    const std::vector<float> scale = numbers(4, s.channels), shift = numbers(5, s.channels);
    scale_shift_ref(in.map(), scale.data(), shift.data(), want.map());
    const DeviceMap device_in(in), device_out(out);
    const DeviceArray<float> device_scale(scale), device_shift(shift);
    scale_shift_cuda(Gpu::instance().queue(), *device_in, device_scale.data(), device_shift.data(), *device_out);
    device_out.download(out);
    out.require_near(want, [&](double value) { return 2 * kUnitFp32 * (1 + std::abs(value)); });
  });
}

TEST_CASE("elementwise operations refuse what they cannot do") {
  PlacedMap a(DataType::f32, {1, 2, 3, 8}, Place::dense), b(DataType::f32, {1, 3, 2, 8}, Place::dense),
      half(DataType::f16, {1, 2, 3, 8}, Place::dense);
  CudaQueue& queue = Gpu::instance().queue();
  CHECK_THROWS_WITH(add_cuda(queue, a.map(), b.map(), a.map()),
                    Catch::Contains("add: second input and output: expected equal shapes, found [1, 3, 2, 8] and"));
  CHECK_THROWS_WITH(
      activate_cuda(queue, Activation::relu, a.map(), half.map()),
      Catch::Contains("activate (input, output): expected (fp32, fp32) or (fp16, fp16), found (fp32, fp16)"));
}
