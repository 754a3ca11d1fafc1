// What runs over many pictures are made of: shares of the processors, the figures that they tell, the bar.
#include <catch2/catch.hpp>
#include <thread>

#include "runtime/cli/progress.h"
#include "runtime/cli/session_pool.h"
#include "runtime/cli/stage_times.h"

using namespace maskrt::cli;
using Catch::Contains;

TEST_CASE("sessions share the processors, and their pictures fit into memory") {
  for (const bool measures : {false, true}) {
    for (int processors = 1; processors <= 70; ++processors) {
      for (const std::size_t batches : {0, 1, 2, 3, 15, 16, 17, 100, 100000}) {
        for (const std::size_t batch : {1, 3, 16, 1024}) {
          INFO(batches << " batches of " << batch << " on " << processors);
          const SessionShares shares = shares_on_processors(batches, batch, processors, measures);
          CHECK(shares.threads >= 1);
          CHECK(shares.sessions >= 1);
          CHECK(shares.sessions <= std::max<std::size_t>(1, batches));
          CHECK(shares.sessions * batch <= std::max<std::size_t>(16, batch));
          const auto used = static_cast<int>(shares.sessions) * shares.threads;
          CHECK(used <= processors);
          CHECK(2 * used > processors);
        }
      }
    }
  }
}

TEST_CASE("one batch has all processors, many have one each") {
  const auto shares = [](std::size_t batches, int processors) {
    const SessionShares found = shares_on_processors(batches, 1, processors, true);
    return std::pair(found.sessions, found.threads);
  };
  CHECK(shares(1, 16) == std::pair<std::size_t, int>(1, 16));
  CHECK(shares(3, 2) == std::pair<std::size_t, int>(1, 2));
  CHECK(shares(100, 2) == std::pair<std::size_t, int>(2, 1));
  CHECK(shares(5000, 16) == std::pair<std::size_t, int>(16, 1));
  CHECK(shares(5000, 1) == std::pair<std::size_t, int>(1, 1));
  CHECK(shares(5000, 64) == std::pair<std::size_t, int>(16, 4));
  // 17 on 16 processors: not a second round for the last one alone.
  const SessionShares seventeen = shares_on_processors(17, 1, 16, false);
  CHECK(seventeen.sessions < 16);
  CHECK(seventeen.threads > 1);
  CHECK(shares_on_gpu(1).sessions == 1);
  CHECK(shares_on_gpu(100).sessions == 2);
}

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

TEST_CASE("rate and remaining time are of what this run does itself") {
  CHECK(counts_text(0, 100, "images", 0, 100, 0.5) == "0 of 100 images");
  CHECK(counts_text(20, 100, "images", 20, 100, 10) == "20 of 100 images, 2.0 a second, 40 s left");
  CHECK(counts_text(70, 100, "images", 20, 50, 10) == "70 of 100 images, 2.0 a second, 15 s left");
  CHECK(counts_text(50, 100, "images", 0, 50, 10) == "50 of 100 images");
  CHECK(counts_text(100, 100, "images", 50, 50, 10) == "100 of 100 images, 5.0 a second");
  CHECK(counts_text(2, 4, "images", 2, 4, 50) == "2 of 4 images, 0.04 a second, 50 s left");
}

TEST_CASE("the bar gives way where the terminal is narrow, and never reaches its last column") {
  const std::string text = "31 of 100 images, 4.2 a second, 17 s left";
  CHECK(bar_line(31, 100, text, 200) == bar_text(31, 100, 30) + "  " + text);
  CHECK(bar_line(31, 100, text, 80).size() == 79);
  CHECK(bar_line(31, 100, text, 56) == bar_text(31, 100, 5) + "  " + text);
  CHECK(bar_line(31, 100, text, 55) == text);
  CHECK(bar_line(31, 100, text, 20) == text.substr(0, 19));
  CHECK(bar_line(31, 100, text, 0).empty());
}
