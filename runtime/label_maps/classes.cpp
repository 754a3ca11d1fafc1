#include "classes.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "maskrt/types.hpp"
#include "runtime/coco/json_records.h"

namespace maskrt::label_maps {
namespace {

constexpr std::size_t kMostClasses = 65535;  // one number is left for what is not scored

/// A class of COCO's categories, and its id.
std::pair<std::uint16_t, LabelClass> read_category(const coco::Record& record) {
  LabelClass made;
  const std::int64_t id = record.integer("id");
  if (id < 0 || id > std::numeric_limits<std::uint16_t>::max())
    record.fail("id", "a whole number from 0 to 65535", record.find("id"));
  made.name = record.text("name");
  if (made.name.empty()) record.fail("name", "a name", record.find("name"));
  if (const auto color = record.find("color"); color && !color->is_null()) {
    if (!color->is_array() || color->size() != 3) record.fail("color", "red, green and blue", color);
    std::size_t channel = 0;
    color->for_each([&](const coco::JsonValue& value) {
      const std::int64_t level = record.to_integer(value, "color[" + std::to_string(channel) + "]");
      if (level < 0 || level > 255) record.fail("color", "red, green and blue from 0 to 255", value);
      made.color[channel++] = static_cast<std::uint8_t>(level);
    });
  }
  return {static_cast<std::uint16_t>(id), std::move(made)};
}

void add(LabelClasses& table, std::uint16_t id, LabelClass made) {
  if (table.classes.size() == kMostClasses)
    throw Error(table.name + ": expected at most " + std::to_string(kMostClasses) + " classes, found more");
  const std::size_t index = table.classes.size();
  table.ids.set(id, static_cast<std::int32_t>(index));
  table.indices.set(static_cast<std::uint16_t>(index), static_cast<std::int32_t>(index));
  table.classes.push_back(std::move(made));
}

LabelClasses read_json(const std::filesystem::path& path, bool is_list) {
  LabelClasses table;
  table.name = path.string();
  const auto read = [&](const coco::Record& record) {
    auto [id, made] = read_category(record);
    if (table.ids[id] != kUnknown) record.fail("id", "used once in its list", record.find("id"));
    add(table, id, std::move(made));
  };
  if (is_list)
    coco::read_list(path, "categories", read);
  else if (coco::read_sections(path, {{"categories", read}}).empty())
    throw Error(table.name + ": expected COCO's categories, a list or the member \"categories\", found none");
  return table;
}

LabelClasses read_lines(const std::filesystem::path& path, std::ifstream& file) {
  LabelClasses table;
  table.name = path.string();
  std::string line;
  std::size_t blank = 0, number = 0;
  while (std::getline(file, line)) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
      if (blank == 0) blank = number;
      continue;
    }
    if (blank != 0)
      throw Error(table.name + ": expected a class's name in line " + std::to_string(blank) + ", found an empty line");
    add(table, static_cast<std::uint16_t>(table.classes.size()), {line, {}});
  }
  if (file.bad()) throw Error(table.name + ": cannot be read: " + std::strerror(errno));
  return table;
}

LabelClasses read_file(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path))
    throw Error(path.string() + ": expected cityscapes, ade20k or a file of classes, found a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error("expected cityscapes, ade20k or a file of classes, found " + path.string() +
                ", which cannot be opened: " + std::strerror(errno));
  file >> std::ws;
  const int first = file.peek();
  if (first == '{' || first == '[') return read_json(path, first == '[');
  file.clear();
  file.seekg(0);
  return read_lines(path, file);
}

}  // namespace

std::vector<ClassColor> LabelClasses::colors() const {
  std::vector<ClassColor> colors;
  for (const LabelClass& one : classes) colors.push_back(one.color);
  return colors;
}

void LabelClasses::ignore(std::uint16_t number) {
  ids.set(number, kIgnored);
  indices.set(number, kIgnored);
}

LabelClasses read_classes(const std::string& name_or_file, std::optional<std::uint16_t> ignored) {
  const bool is_cityscapes = name_or_file == "cityscapes", is_ade20k = name_or_file == "ade20k";
  LabelClasses table = is_cityscapes ? cityscapes_classes() : is_ade20k ? ade20k_classes() : read_file(name_or_file);
  if (table.classes.empty()) throw Error(table.name + ": expected a class or more, found none");
  if (ignored) {
    table.ignore(*ignored);
  } else if (!is_cityscapes && !is_ade20k) {
    // Where the number is a class's own after all (an id of 255), the class has it.
    const std::uint16_t usual = ignored_label(table.classes.size());
    if (table.ids[usual] == kUnknown) table.ids.set(usual, kIgnored);
    if (table.indices[usual] == kUnknown) table.indices.set(usual, kIgnored);
  }
  return table;
}

}  // namespace maskrt::label_maps
