// Labels in any script: with libmaskrt_text.so and fonts of the tests' own, and without.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <thread>

#include "runtime/cli/overlay.h"
#include "runtime/cli/text_line.h"
#include "runtime/mask/mask.h"
#include "support/files.h"

using namespace maskrt;
using namespace maskrt::cli;

namespace {

const std::string cat = "\xe7\x8c\xab", dog = "\xe7\x8a\xac", bird = "\xe9\xb3\xa5";  // U+732B, U+72AC, U+9CE5
const std::string arabic_cat = "\xd9\x82\xd8\xb7\xd8\xa9";                            // U+0642 U+0637 U+0629

/// tests/data/fonts/boxes.ttc, and forty damaged copies of a font with another sign, which the text library is told to
/// use before the first test.
class Fonts {
 public:
  Fonts() {
    const std::string data = MASKRT_TEST_DATA "/fonts/";
    const std::string sound = testing::read_text(data + "bird.ttf");
    std::mt19937 random(1);
    for (int i = 0; i < 40; ++i) {
      std::string damaged = sound;
      for (int k = 0; k < 1 + i / 4; ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
      if (i % 5 == 0) damaged.resize(random() % damaged.size());
      testing::write_text(folder_ / ("bird" + std::to_string(i) + ".ttf"), damaged);
    }
    testing::write_text(folder_ / "readme.ttf", "no font");
    ::setenv("MASKRT_FONTS", (data + "boxes.ttc:" + folder_.path().string() + ":/nowhere").c_str(), 1);
  }

 private:
  testing::TemporaryFolder folder_;
};

const Fonts fonts;

/// Pixels that are inked, in parts too.
double ink(const TextLine& line) {
  return std::accumulate(line.ink.coverage.begin(), line.ink.coverage.end(), 0.0) / 255;
}

bool same_ink(const TextLine& a, const TextLine& b) {
  return a.width == b.width && a.ink.left == b.ink.left && a.ink.top == b.ink.top && a.ink.columns == b.ink.columns &&
         a.ink.coverage == b.ink.coverage;
}

}  // namespace

TEST_CASE("Plain text is drawn by the program's font", "[without]") {
  CHECK(text_line("", 20).width == 0);
  CHECK(text_line("", 20).height() == Approx(20).margin(0.01));
  CHECK(text_line("\xc3\xa9", 20).width == Approx(text_line("e", 20).width));  // as wide as without the accent
  CHECK(ink(text_line("\xce\xa9 \xd0\x96 \xc3\x9f", 20)) > 50);
  CHECK(text_line(std::string(100000, 'x'), 20).width < 201 * 20);
}

TEST_CASE("Bytes that are not UTF-8 become the replacement character", "[without]") {
  const TextLine replacement = text_line("\xef\xbf\xbd", 20);
  for (const std::string broken : {"\xff", "\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0"}) {
    INFO("first byte " << static_cast<int>(static_cast<unsigned char>(broken[0])));
    CHECK(same_ink(text_line(broken, 20), replacement));
  }
}

TEST_CASE("What no font draws is escaped", "[without]") {
  CHECK(same_ink(text_line("a\tb\n", 20), text_line("a\\u0009b\\u000a", 20)));
  CHECK(same_ink(text_line("\xe0\xbd\x80", 20), text_line("\\u0f40", 20)));          // Tibetan
  CHECK(same_ink(text_line("\xf0\x9f\x90\x88", 20), text_line("\\U0001f408", 20)));  // beyond four digits
}

TEST_CASE("Without the text library, other scripts are escaped", "[.][alone]") {
  REQUIRE(std::getenv("MASKRT_TEXT") == std::string("none"));
  CHECK(same_ink(text_line("cat " + cat, 20), text_line("cat \\u732b", 20)));
  CHECK(same_ink(text_line(arabic_cat, 20), text_line("\\u0642\\u0637\\u0629", 20)));
}

TEST_CASE("Signs that the program's font lacks come from the machine's fonts, TrueType and CFF") {
  constexpr float em = 40;
  const float pixels = em / em_of(1);
  const TextLine whole = text_line(cat, pixels), half = text_line(dog, pixels);
  CHECK(whole.width == Approx(em).margin(0.1));
  CHECK(whole.ink.left == 4);
  CHECK(whole.ink.top == -28);
  CHECK(whole.ink.columns == 32);
  CHECK(whole.ink.rows == 28);
  CHECK(ink(whole) == Approx(32 * 28).margin(1));
  CHECK(half.width == Approx(em).margin(0.1));
  CHECK(ink(half) == Approx(16 * 28).margin(1));
  CHECK(whole.height() == Approx(text_line("x", pixels).height()));

  // Beside others, each with the font that has it.
  const TextLine mixed = text_line("x" + cat + dog + "x", pixels), plain = text_line("xx", pixels);
  CHECK(mixed.width == Approx(plain.width + 2 * em).margin(0.5));
  CHECK(ink(mixed) == Approx(ink(plain) + ink(whole) + ink(half)).epsilon(0.02));
}

TEST_CASE("Arabic letters are joined and run from right to left") {
  // Beh twice: joined, it is the final form left of the initial one.
  const std::string beh = "\xd8\xa8", final_form = "\xef\xba\x90", initial = "\xef\xba\x91", isolated = "\xef\xba\x8f";
  const TextLine joined = text_line(beh + beh, 40);
  CHECK(same_ink(joined, text_line(initial + final_form, 40)));
  CHECK(joined.width < text_line(isolated + isolated, 40).width);
  // Hebrew: alef is right of bet where it is written first.
  const std::string alef = "\xd7\x90", bet = "\xd7\x91";
  const TextLine word = text_line(alef + bet, 40), a = text_line(alef, 40), b = text_line(bet, 40);
  REQUIRE(word.width == Approx(a.width + b.width).margin(0.1));
  double left_ink = 0;
  for (int y = 0; y < word.ink.rows; ++y)
    for (int x = 0; x + word.ink.left < b.width; ++x)
      left_ink += word.ink.coverage[static_cast<std::size_t>(y * word.ink.columns + x)] / 255.0;
  CHECK(left_ink == Approx(ink(b)).epsilon(0.05));
  CHECK(std::abs(ink(a) - ink(b)) > 0.1 * ink(b));
  // A combining accent does not move the pen.
  CHECK(text_line("e\xcc\x81\xd7\x90", 40).width == Approx(text_line("e\xd7\x90", 40).width));
}

TEST_CASE("A label's score stands right of its name, whichever way that is written") {
  for (const std::string& name : {std::string("cat"), arabic_cat}) {
    Canvas canvas(400, 300, {100, 100, 100}), named = canvas;
    Drawing drawing;
    drawing.box = {0, 100, 4, 4};  // so far to the left that the label starts at the picture's border
    kernels::MaskBits bits;
    bits.width = 400;
    bits.height = 300;
    bits.words_per_column = 5;
    bits.words.assign(400 * 5, 0);
    for (int x = 0; x < 4; ++x) bits.words[static_cast<std::size_t>(5 * x + 1)] = std::uint64_t{0xf} << (100 - 64);
    drawing.mask = Mask(std::make_shared<Mask::Data>(bits, 16));
    drawing.color = {250, 250, 250};
    drawing.name = name;
    draw_overlay(named, std::vector{drawing});
    drawing.score = "0.93";
    draw_overlay(canvas, std::vector{drawing});
    int first = 400, last = 0;  // columns that the score changed
    for (int y = 0; y < 300; ++y)
      for (int x = 0; x < 400; ++x)
        if (!(canvas.at(x, y) == named.at(x, y))) {
          first = std::min(first, x);
          last = std::max(last, x);
        }
    const float width = text_line(name, 10).width;
    CHECK(static_cast<float>(first) >= width);
    CHECK(static_cast<float>(last) >= width + text_line("0.93", 10).width);
  }
}

TEST_CASE("Broken font files do no harm") {
  const TextLine line = text_line(bird, 30);
  CHECK((same_ink(line, text_line("\\u9ce5", 30)) || line.width <= 100));
}

TEST_CASE("Lines are the same from several threads at once") {
  const std::vector<std::string> names = {cat + dog, arabic_cat, "plain", "x" + cat, "\xe0\xbd\x80"};
  std::vector<TextLine> alone;
  for (const std::string& name : names) alone.push_back(text_line(name, 25));
  std::vector<int> equal(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < equal.size(); ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round)
        for (std::size_t i = 0; i < names.size(); ++i) equal[t] += same_ink(text_line(names[i], 25), alone[i]) ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(equal == std::vector<int>(4, 100));
}
