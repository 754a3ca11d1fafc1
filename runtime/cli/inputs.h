// Which images a command was asked for, and how they are named in what it writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace maskrt::cli {

/// One image to be read.
struct Input {
  std::filesystem::path path;
  /// The path's last part; the whole path for those inputs whose last part another input has too.
  std::string file_name;
  /// The number that the file's name is made of, where all inputs are named so and differ ("000000000139.jpg" is 139);
  /// otherwise the position among the inputs, from 1.
  std::int64_t image_id = 0;
  /// What files made from this input are called (output_names.h).
  std::string stem;
};

/// Files as they are named, missing ones too (reading them gives the error); the images of a folder (not of those
/// inside it) and the matches of a pattern with *, ? or [...], both sorted by name.
/// `passed_over` gets a sentence for each folder that holds files which are no images (picture_folder.h).
/// Throws Error for a folder without images and for a pattern that matches nothing.
std::vector<Input> expand_inputs(const std::vector<std::string>& arguments,
                                 std::vector<std::string>* passed_over = nullptr);

}  // namespace maskrt::cli
