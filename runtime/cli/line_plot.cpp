#include "line_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <optional>
#include <string_view>

#include "graph/utf8.h"
#include "plot_axis.h"
#include "plot_labels.h"

namespace maskrt::cli {
namespace {

// Pixels.
constexpr double kWidth = 760, kHeight = 500;
constexpr PlotBox kFrame = {84, 72, kWidth - 84 - 28, kHeight - 72 - 76};
constexpr double kRadius = 4.5;  ///< of markers
constexpr double kText = 13, kTitle = 17;

/// Beyond it, a number is taken for one without a place: its axis could not be labelled.
constexpr double kLargest = 1e9;

bool has_place(const PlotPoint& point) { return std::abs(point.x) <= kLargest && std::abs(point.y) <= kLargest; }

/// As text of XML, which has no place for most control characters.
std::string xml_text(std::string_view text) {
  constexpr char32_t kReplacement = 0xfffd;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t code = next_code_point(text, i);
    if (code == '&')
      out += "&amp;";
    else if (code == '<')
      out += "&lt;";
    else if (code == '>')
      out += "&gt;";
    else if (code == kNotUtf8 || code < 0x20 || code == 0xfffe || code == 0xffff)
      append_utf8(out, kReplacement);
    else
      append_utf8(out, code);
  }
  return out;
}

/// How wide a character is in the widest of the fonts that the figure asks for, in parts of the font's size.
double width_of(char32_t code) {
  constexpr char32_t kFirstWide = 0x1100;  // Hangul, and behind it Chinese and Japanese
  constexpr std::string_view kNarrow = " !'(),./:;I[]fijlrt|", kBroad = "%&@MWmw";
  if (code >= kFirstWide) return 1.05;
  if (code < 0x80 && kNarrow.find(static_cast<char>(code)) != std::string_view::npos) return 0.43;
  if (code < 0x80 && kBroad.find(static_cast<char>(code)) != std::string_view::npos) return 1.02;
  return code >= 'A' && code <= 'Z' ? 0.8 : 0.66;
}

double width_of(std::string_view text, double font_size) {
  double width = 0;
  for (std::size_t i = 0; i < text.size();) width += width_of(next_code_point(text, i));
  return width * font_size;
}

/// The text, cut off with an ellipsis where it would be wider.
std::string shortened(const std::string& text, double font_size, double most) {
  if (width_of(text, font_size) <= most) return text;
  double width = font_size;
  for (std::size_t i = 0;;) {
    const std::size_t start = i;
    width += font_size * width_of(next_code_point(text, i));
    if (width > most) return text.substr(0, start) + "\u2026";
  }
}

/// An SVG file in the making: elements, each over those before it.
class Svg {
 public:
  void add(const char* format, ...) __attribute__((format(printf, 2, 3))) {
    char element[512];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(element, sizeof element, format, arguments);
    va_end(arguments);
    text_ += element;
    text_ += '\n';
  }
  void line(PlotPlace a, PlotPlace b, const char* stroke) {
    add(R"(<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>)", a.x, a.y, b.x, b.y, stroke);
  }
  /// `more`: further attributes.
  void text(PlotPlace place, const std::string& text, const char* anchor = "middle", const std::string& more = {}) {
    char start[160];
    std::snprintf(start, sizeof start, R"(<text x="%.1f" y="%.1f" text-anchor="%s")", place.x, place.y, anchor);
    text_ += start + (more.empty() ? "" : " " + more) + ">" + xml_text(text) + "</text>\n";
  }
  void append(const std::string& markup) { text_ += markup; }
  std::string finish() && { return std::move(text_) + "</svg>\n"; }

 private:
  std::string text_;
};

/// Where numbers lie in the frame.
class Scale {
 public:
  Scale(PlotAxis x, PlotAxis y) : x_(std::move(x)), y_(std::move(y)) {}
  double x(double number) const { return kFrame.x + kFrame.width * (number - x_.low()) / (x_.high() - x_.low()); }
  double y(double number) const { return kFrame.y + kFrame.height * (y_.high() - number) / (y_.high() - y_.low()); }
  PlotPlace place(const PlotPoint& point) const { return {x(point.x), y(point.y)}; }
  const PlotAxis& x_axis() const { return x_; }
  const PlotAxis& y_axis() const { return y_; }

 private:
  PlotAxis x_, y_;
};

Scale scale_for(const std::vector<PlotPoint>& points) {
  std::vector<double> x, y;
  for (const PlotPoint& point : points) {
    x.push_back(point.x);
    y.push_back(point.y);
  }
  return {axis_around(x), axis_around(y)};
}

void draw_head(Svg& svg, const LinePlot& plot) {
  svg.add(R"(<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img")"
          R"( font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif" font-size="%.0f" fill="#222222">)",
          kWidth, kHeight, kWidth, kHeight, kText);
  svg.append("<title>" + xml_text(plot.title) + "</title>\n");
  svg.add(R"(<rect width="%.0f" height="%.0f" fill="#ffffff"/>)", kWidth, kHeight);
  const double most = kWidth - 40;
  svg.text({kWidth / 2, 32}, shortened(plot.title, kTitle, most), "middle", R"(font-size="17" font-weight="bold")");
  svg.text({kWidth / 2, 54}, shortened(plot.subtitle, kText, most), "middle", R"(fill="#666666")");
}

void draw_axes(Svg& svg, const LinePlot& plot, const Scale& scale) {
  const double right = kFrame.x + kFrame.width, bottom = kFrame.y + kFrame.height;
  for (const double tick : scale.x_axis().ticks) {
    const double x = scale.x(tick);
    svg.line({x, kFrame.y}, {x, bottom}, "#e4e4e4");
    svg.text({x, bottom + 19}, scale.x_axis().text(tick));
  }
  for (const double tick : scale.y_axis().ticks) {
    const double y = scale.y(tick);
    svg.line({kFrame.x, y}, {right, y}, "#e4e4e4");
    svg.text({kFrame.x - 8, y + kText / 3}, scale.y_axis().text(tick), "end");
  }
  svg.line({kFrame.x, bottom}, {right, bottom}, "#222222");
  svg.line({kFrame.x, kFrame.y}, {kFrame.x, bottom}, "#222222");
  svg.text({kFrame.x + kFrame.width / 2, bottom + 45}, shortened(plot.x_axis, kText, kFrame.width));
  svg.text(
      {0, 0}, shortened(plot.y_axis, kText, kFrame.height), "middle",
      "transform=\"translate(22 " + std::to_string(static_cast<int>(kFrame.y + kFrame.height / 2)) + ") rotate(-90)\"");
}

/// The labels' room: text has no descenders worth a line's whole height.
PlotBox size_of_label(const std::string& label) { return {0, 0, width_of(label, kText) + 2, kText}; }

void draw_labels(Svg& svg, const std::vector<PlotPoint>& points, const std::vector<PlotPlace>& places) {
  std::vector<PlotBox> sizes;
  for (const PlotPoint& point : points) sizes.push_back(size_of_label(point.label));
  const std::vector<std::optional<PlacedLabel>> labels = place_labels(places, kRadius + 1, sizes, kFrame);
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] && labels[i]->led) svg.line(places[i], labels[i]->box.nearest(places[i]), "#999999");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i]) continue;
    const PlotBox& box = labels[i]->box;
    svg.add(R"(<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#ffffff"/>)", box.x, box.y, box.width,
            box.height);
    svg.text({box.center().x, box.y + 0.86 * kText}, points[i].label);
  }
}

/// What the pointer is told on a marker: "640: 21.30, 0.612".
std::string described(const PlotPoint& point) {
  char numbers[96];
  std::snprintf(numbers, sizeof numbers, ": %.6g, %.6g", point.x, point.y);
  return point.label + numbers;
}

void draw_points(Svg& svg, const std::vector<PlotPoint>& points, const Scale& scale) {
  std::vector<PlotPlace> places;
  std::string line;
  for (const PlotPoint& point : points) {
    places.push_back(scale.place(point));
    char corner[64];
    std::snprintf(corner, sizeof corner, "%s%.1f,%.1f", line.empty() ? "" : " ", places.back().x, places.back().y);
    line += corner;
  }
  if (points.size() > 1)
    svg.append("<polyline points=\"" + line + "\" fill=\"none\" stroke=\"#8fb3d9\" stroke-width=\"2\"/>\n");
  draw_labels(svg, points, places);
  for (std::size_t i = 0; i < points.size(); ++i) {
    svg.add(R"(<circle cx="%.1f" cy="%.1f" r="%.1f" fill="#1b5e9e" stroke="#ffffff">)", places[i].x, places[i].y,
            kRadius);
    svg.append("<title>" + xml_text(described(points[i])) + "</title></circle>\n");
  }
}

}  // namespace

std::string svg_of(const LinePlot& plot) {
  std::vector<PlotPoint> points;
  std::string left_out;
  for (const PlotPoint& point : plot.points) {
    if (has_place(point))
      points.push_back(point);
    else
      left_out += (left_out.empty() ? "not shown, for want of a number: " : ", ") + point.label;
  }
  std::stable_sort(points.begin(), points.end(), [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
  const Scale scale = scale_for(points);
  Svg svg;
  draw_head(svg, plot);
  draw_axes(svg, plot, scale);
  draw_points(svg, points, scale);
  svg.text({kFrame.x, kHeight - 8}, shortened(left_out, kText, kFrame.width), "start", R"(fill="#666666")");
  return std::move(svg).finish();
}

}  // namespace maskrt::cli
