#include "outputs.h"

#include <span>
#include <system_error>

#include "graph/safetensors.h"
#include "maskrt/types.hpp"

namespace maskrt::cli {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) throw Error("cannot make the folder " + folder.string() + ": " + error.message());
}

void make_folder_of(const fs::path& file) {
  if (const fs::path folder = file.parent_path(); !folder.empty()) make_folder(folder);
}

void write_text_file(const fs::path& path, std::string text) {
  make_folder_of(path);
  text += '\n';
  graph::write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace maskrt::cli
