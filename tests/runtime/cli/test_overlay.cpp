// Pictures of what was found: which instances are drawn, in which order, and where labels go.
#include <catch2/catch.hpp>
#include <random>

#include "drawn_masks.h"
#include "runtime/cli/overlay.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;

TEST_CASE("Later instances and labels lie above earlier ones") {
  Canvas canvas(300, 200, kGrey);
  draw_overlay(canvas, std::vector{rectangle(canvas, {50, 60, 200, 100}, "", kRed),
                                   rectangle(canvas, {100, 90, 60, 40}, "", kBlue)});
  const Color tinted = {170, 55, 55};
  const Color both = {static_cast<std::uint8_t>(tinted.r * 0.55), 30,
                      static_cast<std::uint8_t>(tinted.b + 0.45 * (255 - tinted.b))};
  CHECK(difference(canvas.at(130, 110), both) <= 2);
}

TEST_CASE("Labels stay inside pictures of every size, and tiny pictures go without") {
  for (const auto& [width, height] : {std::pair(1, 1), {1, 500}, {500, 1}, {3, 3}, {20, 12}, {60, 40}, {640, 480}}) {
    Canvas canvas(width, height, kGrey);
    const PixelBox whole = {0, 0, width, height}, corner = {width - 1, height - 1, 1, 1};
    draw_overlay(canvas, std::vector{rectangle(canvas, whole, "a very long name of a class 0.99", kRed),
                                     rectangle(canvas, corner, "person 0.50", kBlue)});
    INFO(width << "x" << height);
    CHECK(canvas.rgb().size() == static_cast<std::size_t>(width * height * 3));
  }
}

TEST_CASE("Labels are placed inside the picture and apart from each other where there is room") {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<LabelAnchor> anchors;
    for (int i = 0; i < 12; ++i) {
      const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
      const PixelBox box = {below(300), below(200), 1 + below(100), 1 + below(100)};
      anchors.push_back({box, box.x + box.width / 2, box.y, 20 + below(80), 12});
    }
    for (const PixelBox& label : place_labels(anchors, 300, 200)) {
      REQUIRE(label.x >= 0);
      REQUIRE(label.y >= 0);
      REQUIRE(label.x + label.width <= 300);
      REQUIRE(label.y + label.height <= 200);
    }
  }

  // Three instances at the same place.
  const LabelAnchor anchor = {{100, 80, 90, 60}, 145, 80, 70, 14};
  const std::vector<PixelBox> labels = place_labels(std::vector(3, anchor), 300, 200);
  for (std::size_t i = 0; i < labels.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const bool apart = labels[i].x + labels[i].width <= labels[j].x || labels[j].x + labels[j].width <= labels[i].x ||
                         labels[i].y + labels[i].height <= labels[j].y || labels[j].y + labels[j].height <= labels[i].y;
      CHECK(apart);
    }
  CHECK(place_labels(std::vector{LabelAnchor{{1, 1, 5, 5}, 3, 1, 0, 0}}, 300, 200).front().width == 0);
}

TEST_CASE("A label touches its instance's main part, whatever specks there are") {
  // A large square low in the picture and one pixel above it, far off.
  Canvas without(400, 300, kGrey), with(400, 300, kGrey);
  Drawing drawing;
  drawing.box = {100, 10, 200, 200};
  drawing.color = kRed;
  drawing.mask = mask_where(400, 300, [](int x, int y) {
    return is_inside({200, 110, 100, 100}, x, y) || (x == 100 && y == 10);
  });
  draw_overlay(without, std::vector{drawing});
  drawing.name = "square";
  drawing.score = "0.80";
  draw_overlay(with, std::vector{drawing});
  int left = 400, right = -1, top = 300, bottom = -1;
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 400; ++x)
      if (!(with.at(x, y) == without.at(x, y))) {
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
  CHECK(left >= 190);
  CHECK(right <= 310);
  CHECK(bottom >= 105);
  CHECK(bottom <= 115);  // ends where the square begins, row 110
  CHECK(top >= 80);
}

TEST_CASE("Instances are drawn from a score on, the largest first, empty ones not at all") {
  const std::vector<Instance> instances = {
      instance(0.9f, 0, "cat", {5, 5, 10, 10}), instance(0.3f, 1, "dog", {0, 0, 60, 60}),
      instance(0.4f, 1, "dog", {10, 3, 30, 67}, BoxOf::network), instance(0.8f, 0, "cat", PixelBox())};
  Category cat, dog;
  dog.color[1] = 200;
  const std::vector<Drawing> drawings = drawings_of(instances, {cat, dog}, 0.4f, Colouring::by_class);
  REQUIRE(drawings.size() == 2);
  CHECK(drawings[0].name == "dog");
  CHECK(drawings[0].score == "0.40");
  CHECK(drawings[0].color == Color{0, 200, 0});
  CHECK(drawings[0].box.x == 10);
  CHECK(drawings[0].box.y == 3);
  CHECK(drawings[0].box.width == 30);
  CHECK(drawings[0].box.height == 67);
  CHECK(drawings[0].mask.area() == 30 * 67);
  CHECK(drawings[1].name == "cat");
}
