#include "labels.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <system_error>

#include "category_json.h"
#include "coco_categories.h"
#include "graph/reading.h"

namespace maskrt::weights {
namespace {

constexpr std::size_t kLongestName = 1024, kMostNames = std::size_t{1} << 20;

std::vector<Category> read_text(std::istream& file, const std::string& where) {
  std::vector<Category> out;
  std::size_t blank = 0;  // lines since the last name
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
    if (line.empty()) {
      ++blank;
      continue;
    }
    if (blank != 0)
      throw Error(where + ", line " + std::to_string(out.size() + 1) +
                  ": expected one name a line, found an empty line");
    const bool binary = std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 && c != '\t'; });
    if (binary || line.size() > kLongestName || out.size() == kMostNames)
      throw Error(where + ", line " + std::to_string(out.size() + 1) +
                  ": expected a name, found something that is no text of a reasonable length");
    out.push_back({static_cast<int>(out.size()) + 1, line, true, {}});
  }
  return out;
}

void sort_by_id(std::vector<Category>& categories, const std::string& where) {
  std::stable_sort(categories.begin(), categories.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < categories.size(); ++i)
    if (categories[i].id == categories[i - 1].id)
      throw Error(where + ": expected each category id once, found " + std::to_string(categories[i].id) + " for '" +
                  categories[i - 1].name + "' and '" + categories[i].name + "'");
}

std::vector<Category> read_file(const std::filesystem::path& path, int classes) {
  const std::string where = path.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw Error("expected a labels file at " + where + ", found none");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("expected to read the labels file " + where + ", found that it cannot be opened");
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  char mark[3] = {};
  file.read(mark, 3);
  const bool marked = std::string_view(mark, 3) == kByteOrderMark;
  file.clear();
  file.seekg(marked ? 3 : 0);

  const int first = (file >> std::ws).peek();
  std::vector<Category> categories;
  if (first == '[' || first == '{') {
    categories = read_category_json(file, where);
    sort_by_id(categories, where);
  } else {
    file.clear();
    file.seekg(marked ? 3 : 0);
    categories = read_text(file, where);
  }
  if (categories.size() != static_cast<std::size_t>(classes))
    throw Error(where + ": expected " + std::to_string(classes) +
                " labels (MODEL.SPARSE_INST.DECODER.NUM_CLASSES), found " + std::to_string(categories.size()));
  return categories;
}

}  // namespace

std::vector<Category> default_categories(int classes) {
  if (classes == 80) return coco_categories();
  std::vector<Category> out;
  for (int i = 0; i < classes; ++i) out.push_back({i + 1, "class_" + std::to_string(i), true, {}});
  return out;
}

std::vector<Category> read_labels(const std::filesystem::path& path, int classes) {
  return reading(path.string(), [&] { return read_file(path, classes); });
}

}  // namespace maskrt::weights
