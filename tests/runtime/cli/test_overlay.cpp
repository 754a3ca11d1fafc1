// Pictures of what was found: what is drawn where, and that labels can be read.
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "runtime/cli/distance.h"
#include "runtime/cli/font.h"
#include "runtime/cli/instance_colors.h"
#include "runtime/cli/label_point.h"
#include "runtime/cli/mask_painter.h"
#include "runtime/cli/mask_png.h"
#include "runtime/cli/overlay.h"
#include "runtime/cli/palette.h"
#include "runtime/cli/png.h"
#include "runtime/cli/text_line.h"
#include "runtime/mask/mask.h"

using namespace maskrt;
using namespace maskrt::cli;

namespace {

int difference(Color a, Color b) { return std::max({std::abs(a.r - b.r), std::abs(a.g - b.g), std::abs(a.b - b.b)}); }

/// The mask of a picture's pixels for which `inside(x, y)` is true.
template <typename Inside>
Mask mask_where(int width, int height, const Inside& inside) {
  kernels::MaskBits bits;
  bits.width = width;
  bits.height = height;
  bits.words_per_column = (height + 63) / 64;
  bits.words.assign(static_cast<std::size_t>(width * bits.words_per_column), 0);
  std::int64_t area = 0;
  for (int x = 0; x < width; ++x)
    for (int y = 0; y < height; ++y)
      if (inside(x, y)) {
        bits.words[static_cast<std::size_t>(x * bits.words_per_column + y / 64)] |= std::uint64_t{1} << (y % 64);
        ++area;
      }
  return Mask(std::make_shared<Mask::Data>(bits, area));
}

bool is_inside(const Box& box, int x, int y) {
  return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
}

/// The mask of a box in a picture of width x height.
Mask mask_of(const Box& box, int width, int height) {
  return mask_where(width, height, [&](int x, int y) { return is_inside(box, x, y); });
}

/// A filled rectangle as an instance.
Drawing rectangle(const Canvas& canvas, const Box& box, const std::string& text, Color color) {
  return {box, mask_of(box, canvas.width(), canvas.height()), text, "", color};
}

Instance instance(float score, int class_id, const std::string& label, const Box& box) {
  Instance made;
  made.score = score;
  made.class_id = class_id;
  made.label = label;
  made.box = box;
  made.mask = mask_of(box, 64, 70);
  return made;
}

constexpr Color grey = {100, 100, 100}, red = {255, 0, 0}, blue = {0, 0, 255};

}  // namespace

TEST_CASE("The distance field equals a search over all pixels") {
  std::mt19937 random(7);
  for (const auto& [width, height] : {std::pair(1, 1), {1, 9}, {13, 1}, {17, 11}, {31, 32}}) {
    for (const int share : {0, 1, 5, 9, 10}) {  // tenths of the pixels that are set
      std::vector<std::uint8_t> bitmap(static_cast<std::size_t>(width * height));
      for (auto& pixel : bitmap) pixel = static_cast<int>(random() % 10) < share ? 1 : 0;
      const std::vector<float> got = signed_distance(bitmap, width, height);
      for (int i = 0; i < width * height; ++i) {
        double nearest = 1e12;
        for (int j = 0; j < width * height; ++j)
          if (bitmap[static_cast<std::size_t>(j)] != bitmap[static_cast<std::size_t>(i)])
            nearest = std::min(nearest, std::hypot(i % width - j % width, i / width - j / width));
        const double magnitude = nearest < 1e6 ? nearest - 0.5 : 1e6;
        const double want = bitmap[static_cast<std::size_t>(i)] != 0 ? magnitude : -magnitude;
        INFO(width << "x" << height << ", share " << share << ", pixel " << i);
        // sqrt of a whole number in float: one rounding each of root and difference.
        CHECK(got[static_cast<std::size_t>(i)] == Approx(want).epsilon(2.0f / (1 << 23)));
      }
    }
  }
}

TEST_CASE("Masks are painted as the plain formula says, whatever their shape, place and the line's width") {
  std::mt19937 random(11);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (const auto& [width, height] : {std::pair(1, 1), {1, 70}, {90, 1}, {64, 64}, {131, 129}, {200, 65}}) {
    for (const float line : {1.5f, 3.0f, 10.3f, MaskPainter::widest_line}) {
      for (int shape = 0; shape < 5; ++shape) {
        const int cx = below(width), cy = below(height), rx = 1 + below(60), ry = 1 + below(60);
        const Mask mask = mask_where(width, height, [&](int x, int y) {
          if (shape == 0) return true;
          if (shape == 1) return x == cx && y == cy;
          if (shape == 2) return below(10) == 0;  // specks
          const double dx = double(x - cx) / rx, dy = double(y - cy) / ry, square = dx * dx + dy * dy;
          return shape == 3 ? square < 1 : square < 1 && square > 0.5;
        });
        Canvas canvas(width, height, grey);
        MaskPainter(line).paint(canvas, mask, {0, 0, width, height}, {250, 30, 60});

        // The mask's border pixels go on beyond the picture, far enough for all that the formula looks at.
        constexpr int beyond = 30;
        const int wide = width + 2 * beyond, high = height + 2 * beyond;
        const auto at = [&](int x, int y) { return static_cast<std::size_t>(y * wide + x); };
        std::vector<std::uint8_t> bitmap(at(0, high));
        for (int y = 0; y < high; ++y)
          for (int x = 0; x < wide; ++x)
            bitmap[at(x, y)] =
                mask.at(std::clamp(x - beyond, 0, width - 1), std::clamp(y - beyond, 0, height - 1)) ? 1 : 0;
        std::vector<float> distance = signed_distance(bitmap, wide, high);
        for (float& d : distance) d = std::clamp(d, -20.0f, 20.0f);
        const auto smoothed = [&](int x, int y) {
          constexpr double weights[] = {1, 4, 6, 4, 1};
          double sum = 0;
          for (int j = 0; j < 5; ++j)
            for (int i = 0; i < 5; ++i) sum += weights[i] * weights[j] * distance[at(x + i - 2, y + j - 2)];
          return sum / 256;
        };
        int worst = 0;
        for (int y = 0; y < height; ++y)
          for (int x = 0; x < width; ++x) {
            const double d = smoothed(x + beyond, y + beyond), from_line = 0.5 * line + 0.5 - std::fabs(d);
            const double tint = 0.45 * std::clamp(d + 0.5, 0.0, 1.0), rim = 0.35 * std::clamp(from_line + 1, 0.0, 1.0);
            const double outline = 0.95 * std::clamp(from_line, 0.0, 1.0);
            const auto painted = [&](double old, double color) {
              const double tinted = old + tint * (color - old), rimmed = tinted * (1 - rim);
              return static_cast<std::uint8_t>(std::lround(rimmed + outline * (color - rimmed)));
            };
            const Color want = {painted(grey.r, 250), painted(grey.g, 30), painted(grey.b, 60)};
            worst = std::max(worst, difference(canvas.at(x, y), want));
          }
        INFO(width << "x" << height << ", line " << line << ", shape " << shape);
        // Half a level of rounding, weights in steps of 1 / 256, and a distance in steps of 1 / 64: 2.6 levels where
        // the outline's ramp is steepest.
        CHECK(worst <= 4);
      }
    }
  }
}

TEST_CASE("A mask is tinted inside, outlined at its edge, and leaves the rest alone") {
  Canvas canvas(200, 160, grey);
  draw_overlay(canvas, std::vector{rectangle(canvas, {60, 50, 80, 60}, "", red)});
  // 0.45 of red over grey: 100 + 0.45 * 155 and 100 * 0.55.
  CHECK(difference(canvas.at(100, 80), {170, 55, 55}) <= 1);
  // The edge's pixels: tint, 0.35 of the dark rim, then 0.95 * 0.75 of red, as a line of 1.5 pixels around the edge
  // covers three quarters of the pixel beside it. 170, 55 -> 111, 36 -> 213, 10.
  CHECK(difference(canvas.at(60, 80), {213, 10, 10}) <= 2);
  for (int y = 0; y < 160; ++y)
    for (int x = 0; x < 200; ++x)
      if (x < 56 || x > 143 || y < 46 || y > 113) {
        INFO("at " << x << ", " << y);
        REQUIRE(canvas.at(x, y) == grey);
      }
}

TEST_CASE("A mask that the picture's border cuts off has no outline along the border") {
  Canvas canvas(120, 100, grey);
  draw_overlay(canvas, std::vector{rectangle(canvas, {0, 0, 120, 40}, "", red)});
  CHECK(difference(canvas.at(0, 20), {170, 55, 55}) <= 1);
  CHECK(difference(canvas.at(60, 0), {170, 55, 55}) <= 1);
  CHECK(difference(canvas.at(60, 39), {213, 10, 10}) <= 2);
}

TEST_CASE("Later instances and labels lie above earlier ones") {
  Canvas canvas(300, 200, grey);
  draw_overlay(canvas, std::vector{rectangle(canvas, {50, 60, 200, 100}, "", red),
                                   rectangle(canvas, {100, 90, 60, 40}, "", blue)});
  const Color tinted = {170, 55, 55};
  const Color both = {static_cast<std::uint8_t>(tinted.r * 0.55), 30,
                      static_cast<std::uint8_t>(tinted.b + 0.45 * (255 - tinted.b))};
  CHECK(difference(canvas.at(130, 110), both) <= 2);
}

TEST_CASE("Labels stay inside pictures of every size, and tiny pictures go without") {
  for (const auto& [width, height] : {std::pair(1, 1), {1, 500}, {500, 1}, {3, 3}, {20, 12}, {60, 40}, {640, 480}}) {
    Canvas canvas(width, height, grey);
    const Box whole = {0, 0, width, height}, corner = {width - 1, height - 1, 1, 1};
    draw_overlay(canvas, std::vector{rectangle(canvas, whole, "a very long name of a class 0.99", red),
                                     rectangle(canvas, corner, "person 0.50", blue)});
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
      const Box box = {below(300), below(200), 1 + below(100), 1 + below(100)};
      anchors.push_back({box, box.x + box.width / 2, box.y, 20 + below(80), 12});
    }
    for (const Box& label : place_labels(anchors, 300, 200)) {
      REQUIRE(label.x >= 0);
      REQUIRE(label.y >= 0);
      REQUIRE(label.x + label.width <= 300);
      REQUIRE(label.y + label.height <= 200);
    }
  }

  // Three instances at the same place.
  const LabelAnchor anchor = {{100, 80, 90, 60}, 145, 80, 70, 14};
  const std::vector<Box> labels = place_labels(std::vector(3, anchor), 300, 200);
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
  Canvas without(400, 300, grey), with(400, 300, grey);
  Drawing drawing;
  drawing.box = {100, 10, 200, 200};
  drawing.color = red;
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
  const auto apart = [](int a, int b) { return std::min(std::abs(a - b), hues - std::abs(a - b)) * 360 / hues; };
  const Box box = {100, 100, 50, 50};
  // All in one place: up to 5 at 60 degrees or more, up to 12 all different.
  const std::vector<int> same = instance_hues(std::vector(12, box));
  for (std::size_t i = 0; i < same.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK(apart(same[i], same[j]) >= (i < 5 ? 60 : 30));
  // A crowd in a row, where each meets the two or three next to it.
  std::vector<Box> row;
  for (int i = 0; i < 60; ++i) row.push_back({40 * i, 100, 50, 50});
  const std::vector<int> crowd = instance_hues(row);
  for (std::size_t i = 1; i < crowd.size(); ++i) CHECK(apart(crowd[i], crowd[i - 1]) >= 60);
  // Some far from each other: the first dozen differs.
  std::vector<Box> far;
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

TEST_CASE("The point of a mask's label is set, at the upper edge, and in thin masks too") {
  std::mt19937 random(2);
  const auto check = [](const Mask& mask, const Box& box) {
    const Pixel point = label_point(mask, box);
    CHECK(mask.at(point.x, point.y));
    CHECK_FALSE(mask.at(point.x, point.y - 1));
    return point;
  };
  const Pixel middle = check(mask_of({100, 50, 300, 200}, 500, 300), {100, 50, 300, 200});
  CHECK(std::abs(middle.x - 250) <= 60);
  CHECK(middle.y == 50);
  for (const int x : {0, 1, 7, 100, 498})
    check(mask_where(500, 300, [x](int i, int) { return i == x || i == 499; }), {x, 0, 500 - x, 300});
  check(mask_where(500, 500, [](int x, int y) { return x == y; }), {0, 0, 500, 500});
  check(mask_of({499, 299, 1, 1}, 500, 300), {499, 299, 1, 1});
  check(mask_of({0, 0, 500, 300}, 500, 300), {0, 0, 500, 300});
}

TEST_CASE("Instances are drawn from a score on, the largest first, empty ones not at all") {
  const std::vector<Instance> instances = {instance(0.9f, 0, "cat", {5, 5, 10, 10}),
                                           instance(0.3f, 1, "dog", {0, 0, 60, 60}),
                                           instance(0.4f, 1, "dog", {10, 3, 30, 67}), instance(0.8f, 0, "cat", Box())};
  Category cat, dog;
  dog.color[1] = 200;
  const std::vector<Drawing> drawings = drawings_of(instances, {cat, dog}, 0.4f, Colouring::by_class);
  REQUIRE(drawings.size() == 2);
  CHECK(drawings[0].name == "dog");
  CHECK(drawings[0].score == "0.40");
  CHECK(drawings[0].color == Color{0, 200, 0});
  CHECK(drawings[0].box.height == 67);
  CHECK(drawings[0].mask.area() == 30 * 67);
  CHECK(drawings[1].name == "cat");
}

TEST_CASE("Masks come back from their PNG files as they were") {
  std::mt19937 random(4);
  const auto check = [](const Mask& mask) {
    const Image read = Image::from_bytes(encode_mask(mask));
    REQUIRE(read.width() == mask.width());
    REQUIRE(read.height() == mask.height());
    bool equal = true;
    for (int y = 0; y < mask.height(); ++y)
      for (int x = 0; x < mask.width(); ++x) equal = equal && read.row(y)[3 * x] == (mask.at(x, y) ? 255 : 0);
    CHECK(equal);
  };
  // Runs of every length up to more than the longest match, ones and zeros.
  for (int length = 1; length < 540; ++length) {
    check(mask_of({7, 0, length, 2}, 600, 3));
    check(mask_where(600, 1, [length](int x, int) { return x < 3 || x >= 3 + length; }));
  }
  for (const auto& [width, height] : {std::pair(1, 1), {1, 200}, {200, 1}, {63, 64}, {65, 129}, {700, 300}}) {
    check(mask_where(width, height, [](int, int) { return false; }));
    check(mask_where(width, height, [](int, int) { return true; }));
    check(mask_where(width, height, [&](int, int) { return random() % 2 == 0; }));
    check(mask_where(width, height, [&](int, int) { return random() % 50 == 0; }));
  }
}

TEST_CASE("A canvas takes pixels of every format, and PNG gives them back") {
  const std::uint8_t bgr[] = {1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12};  // two pixels a row, rows 8 bytes apart
  const Canvas turned(Image::from_pixels(bgr, 2, 2, PixelFormat::bgr, 8));
  CHECK(turned.rgb() == std::vector<std::uint8_t>{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10});
  const std::uint8_t levels[] = {0, 128, 255};
  CHECK(Canvas(Image::from_pixels(levels, 3, 1, PixelFormat::grey)).rgb() ==
        std::vector<std::uint8_t>{0, 0, 0, 128, 128, 128, 255, 255, 255});

  std::mt19937 random(5);
  std::vector<std::uint8_t> noise(37 * 23 * 3);
  for (auto& value : noise) value = static_cast<std::uint8_t>(random());
  const Canvas decoded(Image::from_bytes(encode_png(noise, 37, 23, 3)));
  CHECK(decoded.width() == 37);
  CHECK(decoded.rgb() == noise);
}
