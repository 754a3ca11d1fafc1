// Elementwise operations of the CPU device against the loops that define them.
#include "elementwise_cases.h"
#include "kernels/elementwise/elementwise.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::elementwise_cases;
using maskrt::testing::for_each_layout;
using maskrt::testing::kUnitFp32;
using maskrt::testing::map_of_shape;
using maskrt::testing::MapShape;
using maskrt::testing::numbers;
using maskrt::testing::OwnedTensor;
using maskrt::testing::unit_of;

TEST_CASE("activations") {
  for_each_layout(elementwise_cases, [](const MapShape& size, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      for (const Activation activation :
           {Activation::none, Activation::relu, Activation::sigmoid, Activation::leaky_relu, Activation::gelu}) {
        OwnedTensor in = map_of_shape(type, size, block), out = map_of_shape(type, size, block),
                    want = map_of_shape(DataType::f32, size, 0);
        in.fill(1, -30, 30);
        out.poison();
        constexpr float slope = 0.1f;
        activate_ref(activation, *in, *want, slope);
        activate_cpu(activation, *in, *out, slope);
        // The logistic function: two roundings of its own and 2 ulp of the exponential; GELU: twice that.
        require_close(out, *want, [&](auto b, auto y, auto x, auto c) {
          return ((activation == Activation::gelu ? 8 : 4) * kUnitFp32 + (type == DataType::bf16 ? unit_of(type) : 0)) *
                     std::abs(get(*want, b, y, x, c)) +
                 1e-37;
        });
        // In place, as an epilogue uses it.
        activate_cpu(activation, *in, *in, slope);
        require_close(in, *out, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("the logistic function at its ends and in between") {
  OwnedTensor in(DataType::f32, 1, 1, 4096, 16, 16), out(DataType::f32, 1, 1, 4096, 16, 16);
  for (std::int64_t x = 0; x < 4096; ++x)
    for (std::int64_t c = 0; c < 16; ++c) set(*in, 0, 0, x, c, static_cast<float>(x * 16 + c) / 65536.0f * 200 - 100);
  set(*in, 0, 0, 0, 0, -std::numeric_limits<float>::infinity());
  set(*in, 0, 0, 0, 1, std::numeric_limits<float>::infinity());
  set(*in, 0, 0, 0, 2, -1e30f);
  activate_cpu(Activation::sigmoid, *in, *out);
  for_each_element(*out, [&](auto b, auto y, auto x, auto c) {
    const double want = 1.0 / (1.0 + std::exp(-static_cast<double>(get(*in, b, y, x, c))));
    const double got = get(*out, b, y, x, c);
    // e^87.3 ends the exponential's range: below 1e-38 nothing but smallness is promised.
    if (std::abs(got - want) > 8 * kUnitFp32 * want + 2e-38)
      FAIL("sigmoid of " << get(*in, b, y, x, c) << ": got " << got << ", want " << want);
  });
  out.require_intact();
}

TEST_CASE("GELU at its ends and in between") {
  OwnedTensor in(DataType::f32, 1, 1, 4096, 16, 16), out(DataType::f32, 1, 1, 4096, 16, 16);
  for (std::int64_t x = 0; x < 4096; ++x)
    for (std::int64_t c = 0; c < 16; ++c) set(*in, 0, 0, x, c, static_cast<float>(x * 16 + c) / 65536.0f * 28 - 14);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float odd[] = {0, 1e-30f, -1e-30f, 1e30f, -1e30f, infinity, 3e38f};
  for (std::int64_t c = 0; c < 7; ++c) set(*in, 0, 0, 0, c, odd[c]);
  set(*in, 0, 0, 0, 7, std::numeric_limits<float>::quiet_NaN());
  activate_cpu(Activation::gelu, *in, *out);
  CHECK(std::isnan(get(*out, 0, 0, 0, 7)));
  set(*in, 0, 0, 0, 7, 0), set(*out, 0, 0, 0, 7, 0);
  for_each_element(*out, [&](auto b, auto y, auto x, auto c) {
    const double value = get(*in, b, y, x, c), want = value / 2 * std::erfc(-value / std::sqrt(2.0));
    const double got = get(*out, b, y, x, c);
    // Below the smallest normal number nothing but smallness is promised.
    if (got != want && !(std::abs(got - want) <= 8 * kUnitFp32 * std::abs(want) + 2e-38))
      FAIL("GELU of " << value << ": got " << got << ", want " << want);
  });
  out.require_intact();
}

TEST_CASE("sums, and scales with shifts") {
  for_each_layout(elementwise_cases, [](const MapShape& size, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      OwnedTensor a = map_of_shape(type, size, block), b = map_of_shape(type, size, block),
                  out = map_of_shape(type, size, block), want = map_of_shape(DataType::f32, size, 0);
      a.fill(1);
      b.fill(2);
      out.poison();
      add_ref(*a, *b, *want);
      add_cpu(*a, *b, *out);
      const auto rounding = [&](auto n, auto y, auto x, auto c) {
        return unit_of(type) * std::abs(get(*want, n, y, x, c)) + 1e-37;
      };
      require_close(out, *want, rounding);
      const std::vector<float> scale = numbers(3, size.channels), shift = numbers(4, size.channels);
      out.poison();
      scale_shift_ref(*a, scale.data(), shift.data(), *want);
      scale_shift_cpu(*a, scale.data(), shift.data(), *out);
      require_close(out, *want, [&](auto n, auto y, auto x, auto c) { return rounding(n, y, x, c) + 2 * kUnitFp32; });
    }
  });
}
