// Values of options.
#include <catch2/catch.hpp>

#include "runtime/cli/options.h"

using namespace maskrt::cli;

TEST_CASE("Sizes are a height and a width") {
  const auto size = parse_size("640x864");
  REQUIRE(size.has_value());
  CHECK(size->height == 640);
  CHECK(size->width == 864);
  for (const char* text :
       {"", "640", "640x", "x864", "640x864x3", "0x10", "-1x10", "a640x1", "640 x 864", "1x65537", "99999999999x1"}) {
    INFO(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
  CHECK(size_text(padded({500, 501}, 32)) == "512x512");
  CHECK(size_text(padded({500, 501}, 0)) == "500x501");
  CHECK(size_text(usual_size({640, 853, 32})) == "640x853");
  CHECK(size_text(usual_size({640, 0, 32})) == "640x853");
  CHECK(size_text(usual_size({640, 400, 32})) == "400x400");
  CHECK(size_text(usual_size({0, 853, 32})) == "640x864");
}
