// Colours as annotation tools write them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace maskrt::weights {

using Color = std::array<std::uint8_t, 3>;

/// "#a60f2f", "#abc", "#a60f2fff" (the last pair is opacity, which is dropped), "rgb(166, 15, 47)" and
/// "rgba(166, 15, 47, 0.5)"; nothing for other text.
std::optional<Color> color_from_text(std::string_view text);

/// Three numbers from 0 to 255, or three from 0 to 1 where one of them is a fraction; a fourth is opacity and dropped.
std::optional<Color> color_from_numbers(std::span<const double> numbers);

}  // namespace maskrt::weights
