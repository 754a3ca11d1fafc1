// The program's own font.
#include <catch2/catch.hpp>

#include "runtime/cli/font.h"
#include "runtime/cli/text_line.h"

using namespace maskrt::cli;

TEST_CASE("Text has ink where it was measured and nowhere else") {
  Canvas canvas(200, 60, {255, 255, 255});
  const std::string text = "Ringelblume, 0.97 gjpq";
  const TextLine size = text_line(text, 18);
  CHECK(size.height() == Approx(18).margin(0.01));
  REQUIRE(size.width < 190);
  draw_text(canvas, size, 4, 30, Color());
  int ink = 0;
  for (int y = 0; y < 60; ++y)
    for (int x = 0; x < 200; ++x) {
      if (canvas.at(x, y).r > 200) continue;
      ++ink;
      CHECK(x >= 3);
      CHECK(static_cast<float>(x) <= 4 + size.width + 1);
      CHECK(static_cast<float>(y) >= 30 - size.ascent - 1);
      CHECK(static_cast<float>(y) <= 30 + size.descent + 1);
    }
  CHECK(ink > 200);
}
