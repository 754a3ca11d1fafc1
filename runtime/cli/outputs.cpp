#include "outputs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <span>
#include <system_error>

#include "console.h"
#include "graph/safetensors.h"
#include "maskrt/types.hpp"

namespace maskrt::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kStandardOutput = "/dev/stdout";

/// A device takes part in nothing: two commands' words to /dev/null or a terminal do not mix up a file.
bool is_standard_output(const std::string& path) {
  struct stat file = {}, output = {};
  if (::stat(path.c_str(), &file) != 0 || ::fstat(STDOUT_FILENO, &output) != 0) return false;
  return !S_ISCHR(file.st_mode) && file.st_dev == output.st_dev && file.st_ino == output.st_ino;
}

}  // namespace

std::string output_path(const std::string& name) {
  if (name != "-" && name != kStandardOutput && !is_standard_output(name)) return name;
  leave_standard_output_to_results();
  return kStandardOutput;
}

std::string display_name(const std::string& path) { return path == kStandardOutput ? "the standard output" : path; }

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
