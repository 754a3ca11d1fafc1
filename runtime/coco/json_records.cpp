#include "json_records.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "graph/reading.h"
#include "maskrt/types.hpp"

namespace maskrt::coco {
namespace {

using nlohmann::json;

/// COCO's deepest value, a coordinate of a polygon, lies 5 levels down.
constexpr std::size_t max_depth = 32;

/// "the string \"abc\"", "the number 1.5", "an array of 3"
std::string describe(const json& value) {
  constexpr std::size_t longest = 40;
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::array:
      return "an array of " + std::to_string(value.size());
    case json::value_t::object:
      return "an object";
    default:
      break;
  }
  std::string text = value.dump(-1, ' ', true);  // ASCII alone, so that it can be cut anywhere
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  if (value.is_string()) return "the string " + text;
  return value.is_boolean() ? text : "the number " + text;
}

/// nlohmann's message without its "[json.exception.parse_error.101] parse error" in front.
std::string syntax_message(const char* message) {
  const char* text = std::strstr(message, "] ");
  return text == nullptr ? message : text + 2;
}

/// Follows the parser through the file and builds one record at a time. A record's parent is the watched array.
class RecordParser final : public nlohmann::json_sax<json> {
 public:
  /// `sections` null: the file is the array itself, and `list` reads it.
  RecordParser(std::string file, const std::map<std::string, RecordReader>* sections, std::string_view list_name,
               const RecordReader* list)
      : file_(std::move(file)), sections_(sections), section_(list_name), reader_(list) {}

  const std::set<std::string>& found() const { return found_; }

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(number_integer_t value) override { return scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(value); }
  bool number_float(number_float_t value, const string_t&) override { return scalar(value); }
  bool string(string_t& value) override { return scalar(std::move(value)); }
  bool binary(binary_t&) override { return true; }  // JSON text has none
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!stack_.empty()) {
      key_ = std::move(name);
    } else if (depth_ == 1 && sections_ != nullptr) {
      enter_section(name);
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    throw Error(file_ + ": expected valid JSON, found a " + syntax_message(error.what()));
  }

 private:
  /// Depth of the records' array: 1 where the file is the array, 2 where it is a member of the file's object.
  std::size_t array_depth() const { return sections_ == nullptr ? 1 : 2; }

  void enter_section(const std::string& name) {
    const auto section = sections_->find(name);
    reader_ = section == sections_->end() ? nullptr : &section->second;
    if (reader_ == nullptr) return;
    section_ = section->first;
    index_ = 0;
    if (!found_.insert(name).second) throw Error(file_ + ": expected one member \"" + name + "\", found a second");
  }

  bool scalar(json value) {
    if (depth_ < array_depth()) check_container(value);
    if (!stack_.empty()) {
      attach(std::move(value));
    } else if (reader_ != nullptr && depth_ == array_depth()) {
      deliver(value);
    }
    return true;
  }

  bool open(json container) {
    if (depth_ < array_depth()) check_container(container);
    if (++depth_ > max_depth) {
      throw Error(file_ + ": expected JSON nested at most " + std::to_string(max_depth) + " deep, found more");
    }
    if (!stack_.empty()) {
      stack_.push_back(attach(std::move(container)));
    } else if (reader_ != nullptr && depth_ == array_depth() + 1) {
      root_ = std::move(container);
      stack_.push_back(&root_);
    }
    return true;
  }

  bool close() {
    --depth_;
    if (!stack_.empty()) {
      stack_.pop_back();
      if (stack_.empty()) deliver(root_);
    } else if (sections_ != nullptr && depth_ == 1) {
      reader_ = nullptr;
    }
    return true;
  }

  /// Above the records stand the file's own object, where it has sections, and arrays.
  void check_container(const json& value) const {
    if (depth_ == 0 && sections_ != nullptr) {
      if (!value.is_object()) throw Error(file_ + ": expected an object, found " + describe_opening(value));
    } else if (reader_ != nullptr && !value.is_array()) {
      throw Error(file_ + ": expected " + std::string(section_) + " to be an array, found " + describe_opening(value));
    }
  }

  /// describe() for a value whose elements have not been read yet.
  static std::string describe_opening(const json& value) { return value.is_array() ? "an array" : describe(value); }

  /// Pointers on the stack stay valid: a container on it is the last element of its parent, which does not grow before
  /// that container is closed.
  json* attach(json value) {
    json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  void deliver(const json& value) {
    const Record record(value, file_, section_, index_);
    if (!value.is_object()) throw Error(record.where() + ": expected an object, found " + describe(value));
    (*reader_)(record);
    ++index_;
  }

  std::string file_;
  const std::map<std::string, RecordReader>* sections_;
  std::string_view section_;
  const RecordReader* reader_;
  std::set<std::string> found_;
  std::size_t depth_ = 0, index_ = 0;
  json root_;                 ///< the record that is being built
  std::vector<json*> stack_;  ///< its open containers
  std::string key_;
};

void parse(const std::filesystem::path& path, RecordParser& parser) {
  reading(path.string(), [&] {
    if (std::filesystem::is_directory(path)) throw Error(path.string() + ": expected a JSON file, found a folder");
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(path.string() + ": cannot be opened: " + std::strerror(errno));
    json::sax_parse(file, &parser);
    if (file.bad()) throw Error(path.string() + ": cannot be read: " + std::strerror(errno));
  });
}

/// Whole and exactly representable; nothing otherwise.
std::optional<std::int64_t> as_integer(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (std::abs(number) > 0x1p53 || number != std::trunc(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace

const json* Record::find(const char* key) const {
  const auto member = value_.find(key);
  return member == value_.end() ? nullptr : &*member;
}

std::int64_t Record::to_integer(const json& value, std::string_view what) const {
  const auto number = as_integer(value);
  if (!number) fail(what, "a whole number of 64 bits", &value);
  return *number;
}

double Record::to_number(const json& value, std::string_view what) const {
  if (!value.is_number() || !std::isfinite(value.get<double>())) fail(what, "a finite number", &value);
  return value.get<double>();
}

std::int64_t Record::integer(const char* key) const {
  const auto number = optional_integer(key);
  if (!number) fail(key, "a whole number", nullptr);
  return *number;
}

std::optional<std::int64_t> Record::optional_integer(const char* key) const {
  const json* value = find(key);
  return value == nullptr ? std::nullopt : std::optional(to_integer(*value, key));
}

double Record::number(const char* key) const {
  const auto number = optional_number(key);
  if (!number) fail(key, "a number", nullptr);
  return *number;
}

std::optional<double> Record::optional_number(const char* key) const {
  const json* value = find(key);
  return value == nullptr ? std::nullopt : std::optional(to_number(*value, key));
}

bool Record::flag(const char* key) const {
  const json* value = find(key);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  const auto number = as_integer(*value);
  if (!number) fail(key, "0 or 1", value);
  return *number != 0;
}

std::string Record::text(const char* key) const {
  const json* value = find(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) fail(key, "a string", value);
  return value->get<std::string>();
}

std::optional<std::array<double, 4>> Record::box(const char* key) const {
  const json* value = find(key);
  if (value == nullptr || value->is_null() || (value->is_array() && value->empty())) return std::nullopt;
  if (!value->is_array() || value->size() != 4) fail(key, "an array of 4 numbers", value);
  std::array<double, 4> box{};
  for (std::size_t i = 0; i < 4; ++i) box[i] = to_number((*value)[i], key);
  return box;
}

std::string Record::where() const {
  std::string text = std::string(file_) + ": " + std::string(section_) + "[" + std::to_string(index_) + "]";
  if (!value_.is_object()) return text;
  const json* id = find("id");
  if (id != nullptr && as_integer(*id)) text += " (id " + std::to_string(*as_integer(*id)) + ")";
  return text;
}

void Record::fail(std::string_view what, std::string_view expected, const json* found) const {
  throw Error(where() + ": " + std::string(what) + " must be " + std::string(expected) + ", but is " +
              (found == nullptr ? "missing" : describe(*found)));
}

std::set<std::string> read_sections(const std::filesystem::path& path,
                                    const std::map<std::string, RecordReader>& sections) {
  RecordParser parser(path.string(), &sections, "", nullptr);
  parse(path, parser);
  return parser.found();
}

void read_list(const std::filesystem::path& path, std::string_view name, const RecordReader& reader) {
  RecordParser parser(path.string(), nullptr, name, &reader);
  parse(path, parser);
}

}  // namespace maskrt::coco
