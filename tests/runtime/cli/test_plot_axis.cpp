// Which numbers an axis shows, and its ticks.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <set>

#include "runtime/cli/plot_axis.h"

using namespace maskrt::cli;

namespace {

std::vector<std::string> texts(const PlotAxis& axis) {
  std::vector<std::string> all;
  for (const double tick : axis.ticks) all.push_back(axis.text(tick));
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("Ticks are round numbers around the values") {
  CHECK(texts(axis_around({0.327, 0.3571})) == Texts{"0.32", "0.33", "0.34", "0.35", "0.36"});
  CHECK(texts(axis_around({180.2, 340.9})) == Texts{"150", "200", "250", "300", "350", "400"});
  CHECK(texts(axis_around({3, 61})) == Texts{"0", "20", "40", "60", "80"});
  CHECK(texts(axis_around({-2, 3})) == Texts{"-3", "-2", "-1", "0", "1", "2", "3", "4"});
}

TEST_CASE("Numbers that are all the same have an axis, and so has none") {
  CHECK(texts(axis_around({})) == Texts{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(axis_around({0}).low() == 0);
  CHECK(axis_around({0, 0}).high() == 1);
  for (const double value : {0.63, 21.5, 1e-9, 1e9, -4.0}) {
    INFO(value);
    const PlotAxis axis = axis_around({value, value});
    CHECK(axis.low() < value);
    CHECK(axis.high() > value);
  }
  // Apart by less than a drawing can show, or numbers can tell.
  CHECK(axis_around({0.5, 0.5 + 1e-17, 0.5 + 1e-9}).ticks.size() < 12);
}

TEST_CASE("Every axis holds its values, with a few ticks that differ") {
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    const double scale = std::pow(10.0, static_cast<int>(random() % 13) - 5);
    std::vector<double> values;
    for (std::size_t n = 1 + random() % 20; n > 0; --n) values.push_back(scale * static_cast<double>(random() % 1000));
    const PlotAxis axis = axis_around(values);
    INFO("case " << i);
    CHECK(axis.ticks.size() >= 3);
    CHECK(axis.ticks.size() <= 12);
    CHECK(axis.low() >= 0);
    for (const double value : values) {
      CHECK(axis.low() <= value);
      CHECK(value <= axis.high());
    }
    const Texts all = texts(axis);
    CHECK(std::set<std::string>(all.begin(), all.end()).size() == all.size());
  }
}
