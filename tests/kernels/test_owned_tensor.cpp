// The comparison that all kernels' tests end in, with planted differences.
#include <cstring>

#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

double exact(std::int64_t, std::int64_t, std::int64_t, std::int64_t) { return 0; }

}  // namespace

TEST_CASE("equal tensors do not differ, whatever their layout") {
  OwnedTensor got(DataType::f32, 2, 3, 5, 7, 16), want(DataType::f32, 2, 3, 5, 7, 0);
  got.fill(1);
  for_each_element(*got, [&](auto b, auto y, auto x, auto c) { set(*want, b, y, x, c, get(*got, b, y, x, c)); });
  CHECK(difference(got, *want, exact).empty());
}

TEST_CASE("the worst element is named with its number, what was wanted and its bound") {
  OwnedTensor got(DataType::f32, 1, 2, 2, 3, 0), want(DataType::f32, 1, 2, 2, 3, 0);
  set(*got, 0, 0, 1, 2, 0.25f);
  set(*got, 0, 1, 0, 1, 4);
  set(*want, 0, 1, 0, 1, 2);
  set(*got, 0, 1, 1, 0, 0.01f);
  // Twice its bound of 1; eight times its bound of 1/32; within it.
  const auto bound = [](auto, auto y, auto, auto) { return y == 0 ? 1.0 / 32 : 1.0; };
  CHECK(difference(got, *want, bound) ==
        "2 of 12 elements differ, worst at (0, 0, 1, 2): got 0.25, want 0, off by 0.25, bound 0.03125");
  CHECK(difference(got, *want, exact) ==
        "3 of 12 elements differ, worst at (0, 1, 0, 1): got 4, want 2, off by 2, bound 0");
}

TEST_CASE("what is no number is the worst") {
  OwnedTensor got(DataType::f32, 1, 1, 1, 3, 0), want(DataType::f32, 1, 1, 1, 3, 0);
  got.poison();
  set(*got, 0, 0, 0, 0, 1e30f);
  set(*got, 0, 0, 0, 2, 0);
  CHECK_THAT(difference(got, *want, exact),
             Catch::StartsWith("2 of 3 elements differ, worst at (0, 0, 0, 1): got nan"));
}

TEST_CASE("shapes, padding and canaries count") {
  OwnedTensor got(DataType::f32, 1, 1, 2, 3, 8), want(DataType::f32, 1, 1, 2, 3, 0),
      other(DataType::f32, 1, 1, 2, 4, 0);
  CHECK(difference(got, *other, exact) == "expected a tensor of 1x1x2x4, found 1x1x2x3");
  set(padded(*got), 0, 0, 1, 5, 2);
  CHECK(difference(got, *want, exact) == "padding (0, 0, 1, 5): got 2, want 0");
  set(padded(*got), 0, 0, 1, 5, 0);
  static_cast<std::byte*>(got->data)[-3] = std::byte{1};
  CHECK(difference(got, *want, exact) == "canary -3 of 64 bytes: got 1, want 165");
}

TEST_CASE("a failure says how to repeat it, with [brackets], commas") {
  CHECK_THAT(repeat_command(),
             Catch::EndsWith("/test_owned_tensor 'a failure says how to repeat it\\, with \\[brackets]\\, commas'"));
}
