// Colours of classes and of instances, which labels can be read on.
#include <catch2/catch.hpp>
#include <set>

#include "drawn_masks.h"
#include "runtime/cli/instance_colors.h"
#include "runtime/cli/palette.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;

TEST_CASE("Every class has a colour on which its label can be read, far from its neighbours'") {
  for (int i = 0; i < 1000; ++i) {
    const Color color = class_color(Category(), i);
    INFO("class " << i);
    CHECK(contrast(color, text_color_on(color)) >= 4.5);  // what accessibility guidelines ask of text
    // About a dozen steps that eyes tell apart.
    for (int j = std::max(0, i - 5); j < i; ++j) CHECK(difference(color, class_color(Category(), j)) >= 30);
  }
  CHECK(contrast({0, 0, 0}, {255, 255, 255}) == Approx(21));
  Category named;
  named.color[0] = 220;
  named.color[2] = 60;
  CHECK(class_color(named, 3) == Color{220, 0, 60});
}

TEST_CASE("Neighbouring instances have hues far apart, and each colour's label can be read") {
  const auto apart = [](int a, int b) { return std::min(std::abs(a - b), kHues - std::abs(a - b)) * 360 / kHues; };
  const PixelBox box = {100, 100, 50, 50};
  // All in one place: up to 5 at 60 degrees or more, up to 12 all different.
  const std::vector<int> same = instance_hues(std::vector(12, box));
  for (std::size_t i = 0; i < same.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(apart(same[i], same[j]) >= (i < 5 ? 60 : 30));
  // A crowd in a row, where each meets the two or three next to it.
  std::vector<PixelBox> row;
  for (int i = 0; i < 60; ++i) row.push_back({40 * i, 100, 50, 50});
  const std::vector<int> crowd = instance_hues(row);
  for (std::size_t i = 1; i < crowd.size(); ++i) CHECK(apart(crowd[i], crowd[i - 1]) >= 60);
  // Some far from each other: the first dozen differs.
  std::vector<PixelBox> far;
  for (int i = 0; i < 12; ++i) far.push_back({1000 * i, 100, 50, 50});
  const std::vector<int> spread = instance_hues(far);
  CHECK(std::set<int>(spread.begin(), spread.end()).size() == 12);
  CHECK(instance_hues(row) == crowd);

  const std::vector<Color> colors = instance_colors(std::vector(100, box));
  for (std::size_t i = 0; i < colors.size(); ++i) {
    CHECK(contrast(colors[i], text_color_on(colors[i])) >= 4.5);
    if (i > 0) CHECK(difference(colors[i], colors[i - 1]) >= 30);
  }
  CHECK(difference(colors[12], colors[0]) >= 20);  // of one hue, another lightness
}

TEST_CASE("Instances of one class have colours of their own, or the class's") {
  const std::vector<Instance> instances = {instance(0.9f, 0, "cat", {5, 5, 10, 10}),
                                           instance(0.8f, 0, "cat", {12, 5, 10, 10})};
  const auto own = drawings_of(instances, {Category()}, 0.4f, Colouring::instance);
  CHECK(difference(own.at(0).color, own.at(1).color) >= 60);
  const auto classes = drawings_of(instances, {Category()}, 0.4f, Colouring::by_class);
  CHECK(classes.at(0).color == classes.at(1).color);
  CHECK(classes.at(0).color == class_color(Category(), 0));
}
