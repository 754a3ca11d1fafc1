#include "label_color.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <vector>

namespace maskrt::weights {
namespace {

std::optional<Color> from_hexadecimal(std::string_view digits) {
  const bool is_short = digits.size() == 3 || digits.size() == 4;
  if (!is_short && digits.size() != 6 && digits.size() != 8) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.size() == 4 || digits.size() == 8) number >>= is_short ? 4 : 8;  // opacity
  Color color{};
  for (std::size_t i = 3; i-- > 0;) {
    color[i] = static_cast<std::uint8_t>(is_short ? (number & 15u) * 17 : number & 255u);
    number >>= is_short ? 4 : 8;
  }
  return color;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Color> color_from_text(std::string_view text) {
  text = without_blanks(text);
  if (text.starts_with('#')) return from_hexadecimal(text.substr(1));
  const auto open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return std::nullopt;
  if (const auto name = text.substr(0, open); name != "rgb" && name != "rgba") return std::nullopt;
  text = text.substr(open + 1, text.size() - open - 2);
  constexpr std::size_t kMost = 4;
  std::vector<double> numbers;
  while (!text.empty() && numbers.size() <= kMost) {
    const auto comma = std::min(text.find(','), text.size());
    const auto part = without_blanks(text.substr(0, comma));
    double number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    numbers.push_back(number);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return color_from_numbers(numbers);
}

std::optional<Color> color_from_numbers(std::span<const double> numbers) {
  if (numbers.size() != 3 && numbers.size() != 4) return std::nullopt;
  numbers = numbers.first(3);
  const auto is_fraction = [](double number) { return number != std::floor(number); };
  const bool fractions = std::any_of(numbers.begin(), numbers.end(), is_fraction);
  const double most = fractions ? 1 : 255;
  Color color{};
  for (std::size_t i = 0; i < color.size(); ++i) {
    if (!(numbers[i] >= 0 && numbers[i] <= most)) return std::nullopt;
    color[i] = static_cast<std::uint8_t>(std::lround(numbers[i] * (255 / most)));
  }
  return color;
}

}  // namespace maskrt::weights
