#include "json_records.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "graph/reading.h"
#include "maskrt/types.hpp"

namespace maskrt::coco {
namespace {

using nlohmann::json;

/// COCO's deepest value, a coordinate of a polygon, lies 5 levels down.
constexpr int kMaxDepth = 32;

/// "the string \"abc\"", "the number 1.5", "an array of 3"
std::string describe(const JsonValue& value) {
  constexpr std::size_t longest = 40;
  const auto cut = [](std::string text) { return text.size() > longest ? text.substr(0, longest) + "..." : text; };
  switch (value.type()) {
    case JsonType::null:
      return "null";
    case JsonType::boolean:
      return std::string(value.scalar());
    case JsonType::array:
      return "an array of " + std::to_string(value.size());
    case JsonType::object:
      return "an object";
    case JsonType::string:
      return "the string " + cut(json(value.string()).dump(-1, ' ', true));  // ASCII alone, so that it can be cut
    default:
      break;
  }
  const json number = json::parse(value.scalar(), nullptr, false);
  return "the number " + cut(number.is_discarded() ? std::string(value.scalar()) : number.dump());
}

/// A file's bytes. No string, since that would set them to 0 first.
struct FileText {
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;

  std::string_view view() const { return {bytes.get(), size}; }
};

FileText read_text(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) throw Error(path.string() + ": expected a JSON file, found a folder");
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);
  file.open(path, std::ios::binary);
  if (!file) throw Error(path.string() + ": cannot be opened: " + std::strerror(errno));
  std::error_code not_regular;
  const auto size = std::filesystem::file_size(path, not_regular);
  std::size_t room = not_regular ? 1 << 16 : static_cast<std::size_t>(size) + 1;  // 1: to meet the end
  FileText text{std::make_unique_for_overwrite<char[]>(room)};
  while (file.read(text.bytes.get() + text.size, static_cast<std::streamsize>(room - text.size))) {
    text.size = room;
    room *= 2;
    auto larger = std::make_unique_for_overwrite<char[]>(room);
    std::memcpy(larger.get(), text.bytes.get(), text.size);
    text.bytes = std::move(larger);
  }
  if (file.bad()) throw Error(path.string() + ": cannot be read: " + std::strerror(errno));
  text.size += static_cast<std::size_t>(file.gcount());
  return text;
}

/// Says where the text is no JSON: nlohmann's sentence, without its "[json.exception.parse_error.101] parse error".
class SyntaxError final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_object() override { return true; }
  bool end_array() override { return true; }
  bool key(string_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    const char* text = std::strstr(error.what(), "] ");
    sentence_ = text == nullptr ? error.what() : text + 2;
    return false;
  }
  const std::string& sentence() const { return sentence_; }

 private:
  std::string sentence_ = "byte 0 behind its end";  // where nlohmann finds nothing wrong
};

[[noreturn]] void fail(const std::string& file, std::string_view text, JsonFault::Kind kind) {
  if (kind == JsonFault::Kind::depth)
    throw Error(file + ": expected JSON nested at most " + std::to_string(kMaxDepth) + " deep, found more");
  if (kind == JsonFault::Kind::size) throw Error(file + ": expected records of less than 4 GB, found a larger one");
  const std::string plain = JsonScanner::without_odd_numbers(text, kMaxDepth);
  SyntaxError error;
  json::sax_parse(plain, &error);
  throw Error(file + ": expected valid JSON, found a " + error.sentence());
}

/// The records of one array, one after the other, through one tree.
class RecordList {
 public:
  RecordList(JsonScanner& scanner, const std::string& file, std::string_view section)
      : scanner_(scanner), file_(file), section_(section) {}

  void read(const RecordReader& reader) {
    if (scanner_.next_type() != JsonType::array) {
      throw Error(file_ + ": expected " + std::string(section_) + " to be an array, found " + describe_next());
    }
    if (!scanner_.enter()) return;
    std::size_t index = 0;
    do {
      scanner_.read(tree_);
      const Record record(JsonValue(tree_), file_, section_, index++);
      if (!JsonValue(tree_).is_object())
        throw Error(record.where() + ": expected an object, found " + describe(JsonValue(tree_)));
      reader(record);
    } while (scanner_.more());
  }

  /// describe() for a value of which nothing has been read yet: of a container, nothing more is.
  std::string describe_next() {
    const JsonType type = scanner_.next_type();
    if (type == JsonType::array) return "an array";
    if (type == JsonType::object) return "an object";
    scanner_.read(tree_);
    return describe(JsonValue(tree_));
  }

 private:
  JsonScanner& scanner_;
  const std::string& file_;
  std::string_view section_;
  JsonTree tree_;
};

/// read(scanner) on the file's text, with whatever is wrong with it told.
template <typename Read>
void scan(const std::filesystem::path& path, const Read& read) {
  const std::string file = path.string();
  reading(file, [&] {
    const FileText read_file = read_text(path);
    const std::string_view text = read_file.view();
    try {
      JsonScanner scanner(text, kMaxDepth);
      read(scanner, file);
      scanner.end();
    } catch (const JsonFault& fault) {
      fail(file, text, fault.kind());
    }
  });
}

}  // namespace

std::int64_t Record::to_integer(const JsonValue& value, std::string_view what) const {
  const auto number = value.is_number() ? value.integer() : std::nullopt;
  if (!number) fail(what, "a whole number of 64 bits", value);
  return *number;
}

double Record::to_number(const JsonValue& value, std::string_view what) const {
  const double number = value.is_number() ? value.number() : NAN;
  if (!std::isfinite(number)) fail(what, "a finite number", value);
  return number;
}

std::int64_t Record::integer(const char* key) const {
  const auto number = optional_integer(key);
  if (!number) fail(key, "a whole number", std::nullopt);
  return *number;
}

std::optional<std::int64_t> Record::optional_integer(const char* key) const {
  const auto value = find(key);
  return value ? std::optional(to_integer(*value, key)) : std::nullopt;
}

Id Record::id(const char* key) const {
  const auto value = find(key);
  return value && value->is_string() ? Id(value->string()) : Id(integer(key));
}

double Record::number(const char* key) const {
  const auto value = find(key);
  if (!value || !value->is_number()) fail(key, "a number", value);
  return value->number();
}

bool Record::flag(const char* key) const {
  const auto value = find(key);
  if (!value) return false;
  if (value->type() == JsonType::boolean) return value->boolean();
  const auto number = value->is_number() ? value->integer() : std::nullopt;
  if (!number) fail(key, "0 or 1", value);
  return *number != 0;
}

std::string Record::text(const char* key) const {
  const auto value = find(key);
  if (!value || value->is_null()) return {};
  if (!value->is_string()) fail(key, "a string", value);
  return value->string();
}

std::optional<std::array<double, 4>> Record::box(const char* key) const {
  const auto value = find(key);
  if (!value || value->is_null() || (value->is_array() && value->size() == 0)) return std::nullopt;
  if (!value->is_array() || value->size() != 4) fail(key, "an array of 4 numbers", value);
  std::array<double, 4> box{};
  std::size_t i = 0;
  value->for_each([&](const JsonValue& number) {
    if (!number.is_number()) fail(key, "an array of 4 numbers", number);
    box[i++] = number.number();
  });
  return box;
}

std::string Record::where() const {
  std::string text = std::string(file_) + ": " + std::string(section_) + "[" + std::to_string(index_) + "]";
  const auto id = value_.is_object() ? find("id") : std::nullopt;
  if (id && id->is_number() && id->integer()) text += " (id " + std::to_string(*id->integer()) + ")";
  if (id && id->is_string()) text += " (id " + Id(id->string()).described() + ")";
  return text;
}

void Record::fail(std::string_view what, std::string_view expected, const std::optional<JsonValue>& found) const {
  throw Error(where() + ": " + std::string(what) + " must be " + std::string(expected) + ", but is " +
              (found ? describe(*found) : "missing"));
}

std::set<std::string> read_sections(const std::filesystem::path& path,
                                    const std::map<std::string, RecordReader>& sections) {
  std::set<std::string> found;
  scan(path, [&](JsonScanner& scanner, const std::string& file) {
    if (scanner.next_type() != JsonType::object) {
      throw Error(file + ": expected an object, found " + RecordList(scanner, file, "").describe_next());
    }
    if (!scanner.enter()) return;
    do {
      const std::string name = scanner.name();
      const auto section = sections.find(name);
      if (section == sections.end()) {
        scanner.skip();
        continue;
      }
      if (!found.insert(name).second) throw Error(file + ": expected one member \"" + name + "\", found a second");
      RecordList(scanner, file, name).read(section->second);
    } while (scanner.more());
  });
  return found;
}

void read_list(const std::filesystem::path& path, std::string_view name, const RecordReader& reader) {
  scan(path, [&](JsonScanner& scanner, const std::string& file) { RecordList(scanner, file, name).read(reader); });
}

}  // namespace maskrt::coco
