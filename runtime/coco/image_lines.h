// Results image by image: one line of JSON for each image that is done, so that a run can go on from where it stopped.
//
//   {"file_name": "street.jpg", "image_id": 1, "width": 640, "height": 480, "run": "...", "instances": [...]}
// "instances" are COCO results (results.h), none for an image in which nothing was found; "run" tells which model and
// options made the line. "overlay" is there where the image was drawn, and is the drawing's path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "results.h"

namespace maskrt::coco {

struct ImageLine {
  std::string file_name;
  Id image_id;
  int width = 0, height = 0;
  std::string run;
  std::vector<CocoResult> instances;  ///< their `overlay` is empty: it is the line's
  std::string overlay = {};           ///< not written where empty
};

/// The line with its end. Numbers read back as they were; bytes of names that are not UTF-8 become U+FFFD.
std::string to_text(const ImageLine& line);

/// A name as to_text() writes it and read_image_lines() gives it.
std::string as_written(const std::string& name);

struct ImageLines {
  std::vector<ImageLine> lines;
  std::uint64_t bytes = 0;  ///< bytes of the file's complete lines; the rest is an incomplete line
};

/// Throws Error that names the file and the line: for one that is no such object, and where the file cannot be read.
ImageLines read_image_lines(const std::filesystem::path& path);

}  // namespace maskrt::coco
