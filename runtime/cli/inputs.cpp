#include "inputs.h"

#include <glob.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <system_error>

#include "maskrt/maskrt.hpp"
#include "output_names.h"
#include "picture_folder.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

void add_folder(const fs::path& folder, std::vector<fs::path>& paths, std::vector<std::string>* passed_over) {
  const PictureFolder found = list_pictures(folder);
  if (found.pictures.empty())
    throw Error("expected images in the folder " + folder.string() + ", found none (" + picture_extensions() + ")" +
                (found.passed_over.empty() ? "" : "; " + found.passed_over));
  if (passed_over != nullptr && !found.passed_over.empty()) passed_over->push_back(found.passed_over);
  paths.insert(paths.end(), found.pictures.begin(), found.pictures.end());
}

void add_matches(const std::string& pattern, std::vector<fs::path>& paths) {
  glob_t matches = {};
  const int status = glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches);
  std::vector<fs::path> found;
  for (std::size_t i = 0; status == 0 && i < matches.gl_pathc; ++i) {
    std::error_code ignored;
    if (!fs::is_directory(matches.gl_pathv[i], ignored)) found.emplace_back(matches.gl_pathv[i]);
  }
  globfree(&matches);
  if (found.empty()) throw Error("expected files that match " + pattern + ", found none");
  std::sort(found.begin(), found.end());
  paths.insert(paths.end(), found.begin(), found.end());
}

std::optional<std::int64_t> number_of(const std::string& stem) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (error != std::errc() || end != stem.data() + stem.size() || stem.front() == '-') return std::nullopt;
  return number;
}

/// Empty unless every file is named by a number of its own.
std::vector<std::int64_t> numbers_of(const std::vector<fs::path>& paths) {
  std::vector<std::int64_t> numbers;
  for (const fs::path& path : paths) {
    const auto number = number_of(path.stem().string());
    if (!number) return {};
    numbers.push_back(*number);
  }
  const std::set<std::int64_t> distinct(numbers.begin(), numbers.end());
  return distinct.size() == numbers.size() ? numbers : std::vector<std::int64_t>();
}

}  // namespace

std::vector<Input> expand_inputs(const std::vector<std::string>& arguments, std::vector<std::string>* passed_over) {
  std::vector<fs::path> paths;
  for (const std::string& argument : arguments) {
    std::error_code ignored;
    if (fs::is_directory(argument, ignored))
      add_folder(argument, paths, passed_over);
    else if (!fs::exists(argument, ignored) && argument.find_first_of("*?[") != std::string::npos)
      add_matches(argument, paths);
    else
      paths.emplace_back(argument);
  }

  std::map<std::string, int> uses;
  for (const fs::path& path : paths) ++uses[path.filename().string()];
  const std::vector<std::int64_t> numbers = numbers_of(paths);
  const std::vector<std::string> stems = output_stems(paths);
  std::vector<Input> inputs;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const fs::path& path = paths[i];
    const std::string name = path.filename().string();
    inputs.push_back({path, uses[name] > 1 ? path.string() : name,
                      numbers.empty() ? static_cast<std::int64_t>(i) + 1 : numbers[i], stems[i]});
  }
  return inputs;
}

}  // namespace maskrt::cli
