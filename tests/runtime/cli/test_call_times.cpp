// Means over the calls of a run.
#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/cli/call_times.h"

using namespace maskrt;
using namespace maskrt::cli;

TEST_CASE("Times are means over images, and the usual input is that of most images") {
  CallTimes times;
  CHECK(std::isnan(times.of_an_image().network));
  CHECK(times.usual_input() == Size{});
  times.add({0.1, 1.0, 0.2}, 1, {640, 864});
  times.add({0.3, 5.0, 0.4}, 4, {480, 864});
  CHECK(times.of_an_image().preprocess == Approx(0.08));
  CHECK(times.of_an_image().network == Approx(1.2));
  CHECK(times.of_an_image().postprocess == Approx(0.12));
  CHECK(times.usual_input() == Size{480, 864});
  times.add({0, 0, 0}, 4, {320, 320});
  CHECK(times.usual_input() == Size{320, 320});
}
