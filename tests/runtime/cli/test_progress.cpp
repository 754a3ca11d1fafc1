// The progress bar, and the counts and times beside it.
#include <catch2/catch.hpp>

#include "runtime/cli/progress.h"

using namespace maskrt::cli;

TEST_CASE("The bar fills up, and durations are told in people's units") {
  CHECK(bar_text(0, 10, 10) == "[>         ]   0%");
  CHECK(bar_text(5, 10, 10) == "[=====>    ]  50%");
  CHECK(bar_text(10, 10, 10) == "[==========] 100%");
  CHECK(bar_text(12, 10, 4) == "[====] 100%");
  CHECK(bar_text(0, 0, 4) == "[====] 100%");
  CHECK(duration_text(0.44) == "0.4 s");
  CHECK(duration_text(9.96) == "10 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(200) == "3 min 20 s");
  CHECK(duration_text(7500) == "2 h 5 min");
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
