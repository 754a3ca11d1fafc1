#include "library_search.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace maskrt {
namespace {

namespace fs = std::filesystem;

/// The folder of the binary that this code was linked into.
fs::path own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&library_places), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const fs::path file = fs::canonical(info.dli_fname, error);
  return error ? fs::path{} : file.parent_path();
}

}  // namespace

std::vector<std::string> library_places(const std::string& file, const std::string& variable) {
  if (const char* path = std::getenv(variable.c_str()); path != nullptr && *path != '\0') return {path};
  std::vector<std::string> found;
  if (const fs::path folder = own_folder(); !folder.empty()) {
    found.push_back((folder / file).string());
    found.push_back((folder.parent_path() / "lib" / file).string());
  }
  found.push_back(file);
  return found;
}

}  // namespace maskrt
