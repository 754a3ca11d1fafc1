// Figures as SVG: well-formed whatever they show, and readable.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "runtime/cli/line_plot.h"
#include "support/xml.h"

using namespace maskrt::cli;
using namespace maskrt::testing;
using Catch::Contains;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

LinePlot plot_of(std::vector<PlotPoint> points) {
  return {"r50: mask AP against time", "cpu, fp32", "milliseconds an image", "mask AP", std::move(points)};
}

std::vector<XmlElement> elements_of(const LinePlot& plot) {
  const std::string svg = svg_of(plot);
  CAPTURE(svg);
  const XmlReader reader(svg);
  REQUIRE(reader.elements().front().name == "svg");
  CHECK(reader.elements().front().attributes.at("xmlns") == "http://www.w3.org/2000/svg");
  CHECK_THAT(svg, !Contains("nan") && !Contains("inf\"") && !Contains("href"));
  return reader.elements();
}

std::vector<XmlElement> named(const std::vector<XmlElement>& elements, const std::string& name) {
  std::vector<XmlElement> found;
  std::copy_if(elements.begin(), elements.end(), std::back_inserter(found),
               [&](const XmlElement& element) { return element.name == name; });
  return found;
}

bool has_text(const std::vector<XmlElement>& elements, const std::string& text) {
  const std::vector<std::string> texts = texts_of(elements, "text");
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

TEST_CASE("A figure has its title, its axes with their ticks, and a labelled marker for each point") {
  const auto elements = elements_of(plot_of({{340.9, 0.3571, "640"}, {180.2, 0.327, "448"}, {233.1, 0.341, "512"}}));
  for (const char* text : {"r50: mask AP against time", "cpu, fp32", "milliseconds an image", "mask AP", "448", "512",
                           "640", "150", "300", "0.32", "0.36"}) {
    INFO(text);
    CHECK(has_text(elements, text));
  }
  // Markers from left to right: the more time, the higher AP here, and y grows downwards.
  const auto markers = named(elements, "circle");
  REQUIRE(markers.size() == 3);
  for (std::size_t i = 1; i < markers.size(); ++i) {
    CHECK(markers[i - 1].number("cx") < markers[i].number("cx"));
    CHECK(markers[i - 1].number("cy") > markers[i].number("cy"));
  }
  // To scale: 233.1 is 0.329 of the way from 180.2 to 340.9.
  const double all = markers[2].number("cx") - markers[0].number("cx");
  CHECK((markers[1].number("cx") - markers[0].number("cx")) / all == Approx(0.329).margin(0.001));
  const auto lines = named(elements, "polyline");
  REQUIRE(lines.size() == 1);
  CHECK(std::count(lines.front().attributes.at("points").begin(), lines.front().attributes.at("points").end(), ',') ==
        3);
  CHECK_THAT(texts_of(elements, "title").back(), Contains("640: 340.9, 0.3571"));
}

TEST_CASE("Figures of one point, of none, of zeros and of numbers that are none") {
  const auto one = elements_of(plot_of({{21.5, 0.63, "256"}}));
  CHECK(named(one, "circle").size() == 1);
  CHECK(named(one, "polyline").empty());
  CHECK(has_text(one, "256"));
  const auto zeros = elements_of(plot_of({{21.5, 0, "256"}, {30, 0, "320"}}));
  CHECK(named(zeros, "circle").size() == 2);
  CHECK(has_text(zeros, "256"));
  CHECK(has_text(zeros, "320"));
  CHECK(named(elements_of(plot_of({})), "circle").empty());

  const double infinite = std::numeric_limits<double>::infinity();
  const auto some = elements_of(plot_of(
      {{1, kNan, "a"}, {2, 0.5, "b"}, {kNan, 0.5, "c"}, {infinite, 0.5, "d"}, {3, -infinite, "e"}, {1e300, 1, "f"}}));
  CHECK(named(some, "circle").size() == 1);
  CHECK(has_text(some, "b"));
  CHECK(has_text(some, "not shown, for want of a number: a, c, d, e, f"));
  CHECK(named(elements_of(plot_of({{kNan, kNan, "a"}})), "circle").empty());
}

TEST_CASE("Twenty points have twenty labels, none of which covers another or a marker") {
  std::vector<PlotPoint> points;
  for (int i = 0; i < 20; ++i)
    points.push_back(
        {10 + 2.0 * i + 0.3 * (i % 3), 0.6 * (1 - std::exp(-(i + 1) / 4.0)), std::to_string(128 + 32 * i)});
  const auto elements = elements_of(plot_of(points));
  for (const PlotPoint& point : points) CHECK(has_text(elements, point.label));
  const auto markers = named(elements, "circle");
  auto boxes = named(elements, "rect");
  boxes.erase(boxes.begin());  // the paper
  REQUIRE(boxes.size() == points.size());
  REQUIRE(markers.size() == points.size());
  const auto overlap = [](const XmlElement& a, double x, double y, double width, double height) {
    return a.number("x") < x + width && x < a.number("x") + a.number("width") && a.number("y") < y + height &&
           y < a.number("y") + a.number("height");
  };
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (const XmlElement& marker : markers)
      CHECK_FALSE(overlap(boxes[i], marker.number("cx") - 4.5, marker.number("cy") - 4.5, 9, 9));
    for (std::size_t j = 0; j < i; ++j)
      CHECK_FALSE(overlap(boxes[i], boxes[j].number("x"), boxes[j].number("y"), boxes[j].number("width") - 0.1,
                          boxes[j].number("height") - 0.1));
  }
}

TEST_CASE("Texts of any bytes and lengths leave a figure well-formed") {
  LinePlot plot = plot_of({{1, 0.5, "<1>"}, {2, 0.6, "\"2\" & '3'"}, {kNan, 1, "\xff\x01"}});
  plot.title = "a<b>&\"c\" \x01\x1f\xc3\x28 \xe7\x8c\xab \xef\xbf\xbf " + std::string(500, 'W');
  plot.subtitle = std::string(300, '&');
  plot.x_axis = "]]> <!-- ";
  plot.y_axis = std::string("\0\n", 2) + std::string(1000, 'y');
  const auto elements = elements_of(plot);
  CHECK(has_text(elements, "<1>"));
  CHECK(has_text(elements, "\"2\" & '3'"));
  CHECK(has_text(elements, "]]> <!-- "));
  for (const std::string& text : texts_of(elements, "text")) CHECK(text.size() < 200);
}
