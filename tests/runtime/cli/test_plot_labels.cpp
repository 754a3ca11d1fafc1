// Places of labels beside a figure's points.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "runtime/cli/plot_labels.h"

using namespace maskrt::cli;

namespace {

constexpr PlotBox kFrame = {50, 50, 600, 350};
constexpr double kRadius = 5;

PlotBox marker(PlotPlace place) { return {place.x - kRadius, place.y - kRadius, 2 * kRadius, 2 * kRadius}; }

/// Gives how many labels have a place, after checks that they are in nobody's way.
std::size_t check_places(const std::vector<PlotPlace>& points, const std::vector<PlotBox>& sizes) {
  const auto labels = place_labels(points, kRadius, sizes, kFrame);
  REQUIRE(labels.size() == points.size());
  std::size_t placed = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i]) continue;
    ++placed;
    INFO("label " << i);
    CHECK(kFrame.contains(labels[i]->box));
    CHECK(labels[i]->box.width == sizes[i].width);
    for (const PlotPlace& point : points) CHECK_FALSE(labels[i]->box.meets(marker(point)));
    for (std::size_t j = 0; j < labels.size(); ++j) {
      if (j == i || !labels[j]) continue;
      CHECK_FALSE(labels[i]->box.meets(labels[j]->box));
      if (labels[j]->led) CHECK_FALSE(labels[i]->box.meets(points[j], labels[j]->box.nearest(points[j])));
    }
  }
  return placed;
}

}  // namespace

TEST_CASE("Boxes and lines meet where they have a part in common") {
  const PlotBox box = {10, 10, 20, 10};
  CHECK(box.meets(PlotBox{29, 19, 5, 5}));
  CHECK_FALSE(box.meets(PlotBox{30, 10, 5, 5}));
  CHECK(box.contains(PlotBox{10, 10, 20, 10}));
  CHECK_FALSE(box.contains(PlotBox{9, 10, 20, 10}));
  CHECK(box.meets({0, 0}, {40, 30}));
  CHECK(box.meets({15, 12}, {16, 13}));       // inside
  CHECK(box.meets({20, 0}, {20, 40}));        // upright
  CHECK_FALSE(box.meets({5, 0}, {5, 40}));    // beside it
  CHECK_FALSE(box.meets({0, 0}, {5, 5}));     // ends before
  CHECK_FALSE(box.meets({0, 25}, {40, 20}));  // along its edge
  CHECK(box.nearest({0, 15}).x == 10);
  CHECK(box.nearest({0, 15}).y == 15);
}

TEST_CASE("A label stands above its point, or where there is room") {
  const PlotBox size = {0, 0, 30, 13};
  const auto alone = place_labels({{300, 200}}, kRadius, {size}, kFrame);
  REQUIRE(alone.front());
  CHECK(alone.front()->box.center().x == Approx(300));
  CHECK(alone.front()->box.center().y < 200);
  CHECK_FALSE(alone.front()->led);
  const auto top = place_labels({{300, 52}}, kRadius, {size}, kFrame);
  REQUIRE(top.front());
  CHECK(kFrame.contains(top.front()->box));
  CHECK_FALSE(place_labels({{300, 200}}, kRadius, {{0, 0, 700, 13}}, kFrame).front());
}

TEST_CASE("Labels are in nobody's way, on curves and in clouds") {
  std::mt19937 random(11);
  const auto number = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random() % 10000) / 10000;
  };
  for (int i = 0; i < 200; ++i) {
    INFO("case " << i);
    const bool curve = i % 2 == 0;
    std::vector<PlotPlace> points;
    std::vector<PlotBox> sizes;
    for (int n = 0; n < 20; ++n) {
      points.push_back(curve ? PlotPlace{60 + 30.0 * n, 380 - 300 * n / (n + 4.0) - number(0, 10)}
                             : PlotPlace{number(60, 640), number(60, 390)});
      sizes.push_back({0, 0, number(24, 32), 13});
    }
    std::sort(points.begin(), points.end(), [](PlotPlace a, PlotPlace b) { return a.x < b.x; });
    CHECK(check_places(points, sizes) == points.size());
  }
  // More labels than there is room for.
  const std::vector<PlotPlace> same(50, {300, 200});
  CHECK(check_places(same, std::vector<PlotBox>(50, {0, 0, 30, 13})) >= 4);
}
