#include "library_search.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "maskrt/types.hpp"

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

OptionalLibrary open_optional_library(const std::string& file, const std::string& variable, const std::string& symbol) {
  const char* value = std::getenv(variable.c_str());
  const std::string named = value != nullptr ? value : "";
  OptionalLibrary library;
  if (named == "none") {
    library.why_not = variable + " is none";
    return library;
  }
  std::string tried;
  for (const std::string& place : library_places(file, variable)) {
    if (void* handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL); handle != nullptr) {
      library.place = place;
      library.entry = dlsym(handle, symbol.c_str());
      return library;
    }
    const char* reason = dlerror();
    tried += (tried.empty() ? "" : "; ") + std::string(reason != nullptr ? reason : place + ": unknown reason");
  }
  if (!named.empty()) throw Error(variable + ": expected a library that can be opened, found: " + tried);
  library.why_not = "it could not be opened (" + tried + ")";
  return library;
}

}  // namespace maskrt
