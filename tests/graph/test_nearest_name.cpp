#include <catch2/catch.hpp>
#include <vector>

#include "graph/nearest_name.h"

using maskrt::edit_distance;
using maskrt::nearest_name;

TEST_CASE("Distances between words count letters that are missing, too many, wrong or swapped") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "run") == 3);
  CHECK(edit_distance("run", "") == 3);
  CHECK(edit_distance("run", "run") == 0);
  CHECK(edit_distance("rnu", "run") == 1);
  CHECK(edit_distance("evl", "eval") == 1);
  CHECK(edit_distance("evval", "eval") == 1);
  CHECK(edit_distance("evol", "eval") == 1);
  CHECK(edit_distance("PIXEL_SDT", "PIXEL_STD") == 1);
  CHECK(edit_distance("ca", "abc") == 3);  // swapping and then putting a letter between would be two
}

TEST_CASE("The nearest name is the first of those at the least distance, unless all are far") {
  const std::vector<std::string> names = {"run", "eval", "dump", "bench", "tune", "info"};
  CHECK(nearest_name("rnu", names) == "run");
  CHECK(nearest_name("tun", names) == "run");  // as far from tune
  CHECK(nearest_name("banch", names) == "bench");
  CHECK(nearest_name("frobnicate", names).empty());
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name("run", {}).empty());
  CHECK(nearest_name(std::string(100000, 'x'), names).empty());
}
