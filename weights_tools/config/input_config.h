// How detectron2's configs say what becomes of an image before the network sees it.
#pragma once

#include "config_reader.h"
#include "graph/model_file.h"

namespace maskrt::weights {

/// INPUT.FORMAT, INPUT.MIN_SIZE_TEST, INPUT.MAX_SIZE_TEST, MODEL.PIXEL_MEAN and MODEL.PIXEL_STD, or detectron2's
/// defaults. What sizes are padded to is the family's to say: size_divisibility is 0.
/// Throws Error that names the key and its place for values that no model file can hold.
graph::Preprocessing read_input(ConfigReader& reader);

}  // namespace maskrt::weights
