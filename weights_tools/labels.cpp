#include "labels.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "category_json.h"
#include "class_names.h"
#include "coco_categories.h"
#include "graph/byte_source.h"
#include "graph/file_kind.h"
#include "graph/reading.h"
#include "graph/utf8.h"
#include "weights_tools/config/yaml.h"

namespace maskrt::weights {
namespace {

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
    if (binary || line.size() > kLongestName || out.size() == kMostCategories)
      throw Error(where + ", line " + std::to_string(out.size() + 1) +
                  ": expected a name, found something that is no text of a reasonable length");
    if (!is_utf8(line))
      throw Error(where + ", line " + std::to_string(out.size() + 1) +
                  ": expected a name in UTF-8, found other bytes: " + with_escaped_bytes(line));
    out.push_back({static_cast<int>(out.size()) + 1, line, true, {}});
  }
  return out;
}

// YOLO's data file: `names` as a list or by numbers, and perhaps their count as `nc`.
std::vector<Category> read_yaml(const std::string& text, const std::string& where) {
  const ConfigValue root = parse_yaml(text, where);
  const ConfigValue* const names = root.find("names");
  const bool is_map = names != nullptr && names->kind == ConfigValue::Kind::map;
  if (names == nullptr || (!is_map && names->kind != ConfigValue::Kind::list))
    throw Error(where + ": expected a list of names, or names by numbers, under 'names', found " +
                (names == nullptr ? "no such key" : describe(*names)));
  ClassNames list;
  for (std::size_t i = 0; i < names->items.size(); ++i) {
    const ConfigValue& item = names->items[i];
    const std::string place = to_string(item.origin) + ": ";
    if (item.kind == ConfigValue::Kind::map || item.text.empty())
      throw Error(place + "expected a name, found " + describe(item));
    list.names.push_back(item.text);
    if (!is_map) continue;
    const auto number = key_number(names->keys[i]);
    if (!number) throw Error(place + "expected a number before the name, found '" + names->keys[i].substr(0, 40) + "'");
    list.numbers.push_back(*number);
  }
  const auto count = static_cast<std::int64_t>(list.names.size());
  if (const ConfigValue* const nc = root.find("nc"); nc != nullptr && nc->integer != count)
    throw Error(to_string(nc->origin) + ": expected nc to be the number of names, " + std::to_string(count) +
                ", found " + describe(*nc));
  return categories_of(list, where);
}

// A line "names:", which starts a list or a mapping; a class may be called so, but not followed by more lines of YAML.
bool is_yaml(const std::filesystem::path& path, std::istream& file) {
  if (path.extension() == ".yaml" || path.extension() == ".yml") return true;
  constexpr int kMostLines = 1000;
  std::string line;
  for (int i = 0; i < kMostLines && std::getline(file, line); ++i)
    if (line.starts_with("names:")) return true;
  return false;
}

void refuse_other_files(const std::filesystem::path& path) {
  const auto source = graph::open_file(path);
  std::vector<std::byte> start(std::min(source->size(), graph::kRecognisedBytes));
  source->read(0, start);
  const auto kind = graph::recognise(start);
  if (kind && kind->use != graph::FileKind::Use::text && !start.empty())
    throw Error(path.string() + ": expected labels, which are text, JSON or YAML, found " + std::string(kind->name));
}

Labels read_file(const std::filesystem::path& path, int classes, const std::string& classes_key) {
  const std::string where = path.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw Error("expected a labels file at " + where + ", found none");
  refuse_other_files(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("expected to read the labels file " + where + ", found that it cannot be opened");
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  char mark[3] = {};
  file.read(mark, 3);
  const bool marked = std::string_view(mark, 3) == kByteOrderMark;
  file.clear();
  file.seekg(marked ? 3 : 0);

  const auto rewind = [&file, marked] {
    file.clear();
    file.seekg(marked ? 3 : 0);
  };
  const int first = (file >> std::ws).peek();
  Labels labels;
  if (first == '[' || first == '{') {
    labels = read_category_json(file, where);
  } else if (rewind(); is_yaml(path, file)) {
    rewind();
    labels.categories = read_yaml({std::istreambuf_iterator<char>(file), {}}, where);
  } else {
    rewind();
    labels.categories = read_text(file, where);
  }
  if (const auto found = labels.categories.size(); found != static_cast<std::size_t>(classes))
    throw Error(where + ": expected " + std::to_string(classes) + " labels (" + classes_key + "), found " +
                std::to_string(found));
  return labels;
}

}  // namespace

std::vector<Category> default_categories(int classes) {
  if (classes == 80) return coco_categories();
  std::vector<Category> out;
  for (int i = 0; i < classes; ++i) out.push_back({i + 1, "class_" + std::to_string(i), true, {}});
  return out;
}

Labels read_labels(const std::filesystem::path& path, int classes, const std::string& classes_key) {
  return reading(path.string(), [&] { return read_file(path, classes, classes_key); });
}

}  // namespace maskrt::weights
