// PNG files of areas with one number each: label maps, ids of segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace maskrt::image {

/// A PNG file of `bits` a sample and PNG's colour `type`, of which `rows` are the pixels as PNG packs them, without
/// gaps; `palette` is its colours, red, green and blue of each. Rows are filtered by what is above them, so that only
/// the edges of areas are no zeros.
std::vector<std::byte> encode_areas(std::span<const std::uint8_t> rows, int width, int height, int bits, int type,
                                    std::span<const std::uint8_t> palette = {});

}  // namespace maskrt::image
