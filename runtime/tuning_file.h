// The file that ModelOptions::tuning names, as text.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt {

/// Throws Error that names the file where it cannot be read.
inline std::string read_tuning_file(const std::string& file) {
  std::error_code error;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file, error))
    throw Error("tuning file " + file + ": expected a file that can be read, found none");
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

}  // namespace maskrt
