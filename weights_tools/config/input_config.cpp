#include "input_config.h"

#include <cmath>

#include "maskrt/types.hpp"

namespace maskrt::weights {

graph::Preprocessing read_input(ConfigReader& reader) {
  constexpr int kLargestImage = 1 << 16;
  graph::Preprocessing input;
  const auto format = reader.string("INPUT.FORMAT", "BGR");
  if (format != "RGB" && format != "BGR")
    throw Error(reader.where("INPUT.FORMAT") + ": expected RGB or BGR, found '" + format + "'");
  input.rgb = format == "RGB";
  const auto means = reader.numbers("MODEL.PIXEL_MEAN", {103.53, 116.28, 123.675}, 3);
  const auto deviations = reader.numbers("MODEL.PIXEL_STD", {1, 1, 1}, 3);
  for (const double mean : means)
    if (std::abs(mean) > graph::kLargestMean)
      throw Error(reader.where("MODEL.PIXEL_MEAN") + ": expected numbers from -1000000 to 1000000, found " +
                  std::to_string(mean));
  for (const double deviation : deviations) {
    if (!(deviation > 0))
      throw Error(reader.where("MODEL.PIXEL_STD") + ": expected positive numbers, found " + std::to_string(deviation));
    if (deviation < graph::kLeastDeviation || deviation > graph::kLargestDeviation)
      throw Error(reader.where("MODEL.PIXEL_STD") + ": expected numbers from 0.000001 to 1000000, found " +
                  std::to_string(deviation));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    input.mean[i] = static_cast<float>(means[i]);
    input.std[i] = static_cast<float>(deviations[i]);
  }
  input.min_size = reader.integer("INPUT.MIN_SIZE_TEST", 800, 0, kLargestImage);
  input.max_size = reader.integer("INPUT.MAX_SIZE_TEST", 1333, 1, kLargestImage);
  input.size_divisibility = 0;
  return input;
}

}  // namespace maskrt::weights
