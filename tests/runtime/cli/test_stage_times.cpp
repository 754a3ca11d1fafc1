// What stages of a run took, on the wall and on processors.
#include <catch2/catch.hpp>
#include <thread>

#include "runtime/cli/stage_times.h"

using namespace maskrt::cli;
using Catch::Contains;

TEST_CASE("milliseconds an image are those on the wall, and the parts are the processors'") {
  StageTimes times;
  times.add(Stage::decoding, 1.0);
  times.add(Stage::decoding, 0.5);
  times.add(Stage::network, 2.4);
  times.add(Stage::writing, 0.0001);  // too little to be told
  CHECK(
      times_text(100, 2, times.seconds(), 2) ==
      "20.0 ms an image (50.00 images a second); on 2 threads an image took 39.0 ms of processor time: decoding 15.0, "
      "network 24.0");
  CHECK(times_text(1, 2, {}, 1) ==
        "2000.0 ms an image (0.50 images a second); on 1 thread an image took 0.0 ms of processor time");
  CHECK_THAT(times_text(1, 2, times.seconds(), 4, "cuda:0"),
             Contains("on 4 threads and cuda:0 an image took 3900.1 ms of their time: decoding 1500.0"));
}

TEST_CASE("a stage's clock is of its thread alone, and does not run while it waits") {
  const StageClock clock, wall(TimeOf::wall);
  const double process = process_seconds();
  std::thread([] {
    const StageClock own;
    while (own.seconds() < 0.02) continue;
  }).join();
  CHECK(clock.seconds() < 0.02);
  CHECK(wall.seconds() >= 0.02);
  CHECK(process_seconds() - process >= 0.02);
}
