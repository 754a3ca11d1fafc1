// Which picture is which image of an annotation file.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "result_sink.h"
#include "runtime/coco/annotations.h"

namespace maskrt::cli {

/// Where an image of the annotations lies in `folder`: as its file_name says, or, where the file has URLs in place of
/// names as LVIS does, in the folder that the URL names or without it. Nothing where there is no such file.
std::filesystem::path find_picture(const std::filesystem::path& folder, const coco::ImageEntry& image);

/// Gives the pictures the ids and names of the images that `file` lists: of those whose file_name ends the picture's
/// path, part by part ("val2017/1.jpg" ends "/data/val2017/1.jpg"), the one of the longest name; or else the only one
/// whose name has the same last part. Throws Error that names the first picture of which no image, or more than one, is
/// found, the number of such pictures, and two pictures that are one image.
void take_annotated_ids(std::span<Picture> pictures, const std::string& file);

}  // namespace maskrt::cli
