#include "image_lines.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/strict_json.h"
#include "json_records.h"
#include "result_text.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;

/// A line, its list, an instance, its segmentation, and the lists in that.
constexpr int kMaxDepth = 8;

int read_size(const Record& record, const char* key) {
  const std::int64_t size = record.integer(key);
  if (size < 1 || size > std::numeric_limits<int>::max()) record.fail(key, "the size of an image", record.find(key));
  return static_cast<int>(size);
}

/// Throws Error for what is no JSON, and for keys that stand twice: such a line has been written by something else.
JsonTree parse_line(const std::string& text, const std::string& where) {
  graph::parse_strict_json(text, where, kMaxDepth);
  JsonTree tree;
  JsonScanner(text, kMaxDepth).read(tree);
  return tree;
}

ImageLine read_line(const std::string& text, const std::string& file, std::size_t index) {
  const std::string where = file + ": line " + std::to_string(index + 1);
  const JsonTree tree = parse_line(text, where);
  const JsonValue value(tree);
  if (!value.is_object()) throw Error(where + ": expected an image's results, found another value");
  const Record record(value, file, "lines", index);
  ImageLine line;
  line.file_name = record.text("file_name");
  line.image_id = record.id("image_id");
  line.width = read_size(record, "width");
  line.height = read_size(record, "height");
  line.run = record.text("run");
  line.overlay = record.text("overlay");
  const auto instances = record.find("instances");
  if (!instances || !instances->is_array()) record.fail("instances", "a list of results", instances);
  const std::string section = "lines[" + std::to_string(index) + "].instances";
  std::size_t number = 0;
  instances->for_each([&](const JsonValue& item) {
    const Record instance(item, file, section, number++);
    if (!item.is_object()) instance.fail("a result", "an object", item);
    line.instances.push_back(read_result(instance));
    if (!line.instances.back().outlines.empty())
      instance.fail("segmentation", "an object with size and counts", instance.find("segmentation"));
  });
  return line;
}

}  // namespace

std::string to_text(const ImageLine& line) {
  std::string out = "{\"file_name\": ";
  append_string(out, line.file_name);
  out += ", \"image_id\": ";
  append_id(out, line.image_id);
  out += ", \"width\": " + std::to_string(line.width) + ", \"height\": " + std::to_string(line.height) + ", \"run\": ";
  append_string(out, line.run);
  if (!line.overlay.empty()) {
    out += ", \"overlay\": ";
    append_string(out, line.overlay);
  }
  out += ", \"instances\": [";
  for (std::size_t i = 0; i < line.instances.size(); ++i) {
    if (i != 0) out += ", ";
    append_result(out, line.instances[i]);
  }
  return out + "]}\n";
}

std::string as_written(const std::string& name) {
  std::string text;
  append_string(text, name);
  return json::parse(text).get<std::string>();
}

ImageLines read_image_lines(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path.string() + ": cannot be opened: " + std::strerror(errno));
  ImageLines read;
  std::string text;
  // A line that the end of the file cuts off does not count: getline() then also sets eof.
  while (std::getline(file, text) && !file.eof()) {
    read.lines.push_back(read_line(text, path.string(), read.lines.size()));
    read.bytes += text.size() + 1;
  }
  if (file.bad()) throw Error(path.string() + ": cannot be read: " + std::strerror(errno));
  return read;
}

}  // namespace maskrt::coco
