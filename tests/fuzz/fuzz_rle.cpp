// COCO's run-length strings, and outlines: the first four bytes are height and width, the fifth tells what follows.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "runtime/mask/rle.h"
#include "support/plain_polygon.h"
#include "target.h"

namespace {

using namespace maskrt;

std::int64_t set_pixels(const std::vector<std::uint8_t>& bitmap) {
  return std::count(bitmap.begin(), bitmap.end(), std::uint8_t{1});
}

/// Every form of the mask holds the same pixels.
void check_forms(const rle::Runs& runs) {
  fuzz::require(rle::from_string(runs.height, runs.width, rle::to_string(runs)) == runs, "strings read back");
  if (static_cast<std::int64_t>(runs.height) * runs.width > 1 << 16) return;
  const auto bitmap = rle::to_bitmap(runs);
  fuzz::require(set_pixels(bitmap) == rle::area(runs), "the area is the number of set pixels");
  const auto words = rle::to_bits(runs);
  const int column = (runs.height + 63) / 64;
  fuzz::require(rle::string_from_bits(runs.height, runs.width, words, column) ==
                    rle::to_string(rle::from_bitmap(runs.height, runs.width, bitmap)),
                "bits and bytes hold one mask");
  const rle::BoxXywh box = rle::bounding_box(runs);
  fuzz::require(rle::area(runs) <= box[2] * box[3], "the box covers the mask");
}

/// Quarter steps of 16 bits each: outlines that reach out of the picture and meet pixel centres.
std::vector<double> outline(std::span<const std::uint8_t> bytes) {
  std::vector<double> xy;
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    std::int16_t point[2];
    std::memcpy(point, bytes.data(), sizeof point);
    xy.insert(xy.end(), {point[0] / 4.0, point[1] / 4.0});
  }
  return xy;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  const int height = data[0] | data[1] << 8, width = data[2] | data[3] << 8;
  const std::span<const std::uint8_t> rest(data + 5, size - 5);
  fuzz::answered([&] {
    if (data[4] % 2 == 0) {
      check_forms(rle::from_string(height, width, {reinterpret_cast<const char*>(rest.data()), rest.size()}));
      return;
    }
    const auto xy = outline(rest);
    const rle::Runs runs = rle::from_polygon(height, width, xy);
    check_forms(runs);
    if (xy.size() <= 8 && height <= 4096 && width <= 4096)
      fuzz::require(runs == testing::plain_polygon(height, width, xy), "an outline is what walking along it gives");
  });
  return 0;
}
