#include "map_files.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "maskrt/types.hpp"

namespace maskrt::label_maps {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIdsEnd = "_labelIds.png", kIndicesEnd = "_labelTrainIds.png";

bool is_png(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".png" && path.filename().string().front() != '.';
}

/// All PNG files, sorted.
std::vector<fs::path> list_maps(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::follow_directory_symlink, error), end;
  while (!error && at != end) {
    std::error_code not_there;
    if (is_png(at->path()) && !fs::is_directory(at->path(), not_there)) files.push_back(at->path());
    at.increment(error);
  }
  if (error) throw Error(folder.string() + ": expected a folder of label maps, but: " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

std::map<std::string, fs::path> by_image(const std::vector<fs::path>& files, MapNames names) {
  std::map<std::string, fs::path> found;
  for (const fs::path& file : files) {
    const auto [at, is_new] = found.emplace(image_of(file, names), file);
    if (!is_new)
      throw Error("expected one label map of the image " + at->first + ", found " + at->second.string() + " and " +
                  file.string());
  }
  return found;
}

std::vector<fs::path> ending_in(const std::vector<fs::path>& files, std::string_view end) {
  std::vector<fs::path> chosen;
  for (const fs::path& file : files)
    if (file.filename().string().ends_with(end)) chosen.push_back(file);
  return chosen;
}

}  // namespace

std::string image_of(const fs::path& file, MapNames names) {
  const std::string stem = file.stem().string();
  if (names != MapNames::cityscapes) return stem;
  std::size_t end = 0;
  for (int part = 0; part < 3; ++part) {
    end = stem.find('_', part == 0 ? 0 : end + 1);
    if (end == std::string::npos) return stem;
  }
  return stem.substr(0, end);
}

TruthMaps find_truth_maps(const fs::path& truths, MapNames names, std::optional<Numbering> numbering) {
  TruthMaps found;
  found.numbering = numbering.value_or(Numbering::ids);
  std::vector<fs::path> files = list_maps(truths);
  std::string expected = "label maps, *.png";
  if (names == MapNames::cityscapes) {
    expected = "Cityscapes' label maps, *_labelIds.png or *_labelTrainIds.png";
    const std::vector<fs::path> in_ids = ending_in(files, kIdsEnd);
    if (!numbering && in_ids.empty()) found.numbering = Numbering::indices;
    files = found.numbering == Numbering::ids ? in_ids : ending_in(files, kIndicesEnd);
  }
  if (files.empty()) throw Error("expected " + expected + " in " + truths.string() + ", found none");
  found.files = by_image(files, names);
  return found;
}

MapFolders find_maps(const fs::path& truths, const fs::path& results, MapNames names,
                     std::optional<Numbering> truth_numbering) {
  MapFolders folders;
  const TruthMaps truth_maps = find_truth_maps(truths, names, truth_numbering);
  folders.truths = truth_maps.numbering;

  std::map<std::string, fs::path> found = by_image(list_maps(results), names);
  std::size_t missing = 0;
  std::string first;
  for (const auto& [image, truth] : truth_maps.files) {
    const auto result = found.find(image);
    if (result == found.end()) {
      if (missing++ == 0) first = image;
      continue;
    }
    folders.pairs.push_back({truth, result->second});
    found.erase(result);
  }
  if (missing > 0)
    throw Error("expected results of all " + std::to_string(folders.pairs.size() + missing) + " images of " +
                truths.string() + " in " + results.string() + ", " + std::to_string(missing) +
                (missing == 1 ? " is" : " are") + " missing, the first is of " + first);
  folders.left_out = found.size();
  return folders;
}

}  // namespace maskrt::label_maps
