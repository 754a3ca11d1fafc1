// Reads large JSON files record by record, and takes typed values out of a record with errors that say where.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "id.h"
#include "json_tree.h"

namespace maskrt::coco {

/// One element of a JSON array, and where it stands. Valid during the call that it is passed to.
///
/// What reads a value throws Error when the value has another type or range than asked for; the sentence names the
/// file, the record's index and its "id" (where it has one), what was expected and what was found. Whole numbers may be
/// written as floating point ("1.0"), since tables that pass through other programs often come back that way.
class Record {
 public:
  Record(JsonValue value, std::string_view file, std::string_view section, std::size_t index)
      : value_(value), file_(file), section_(section), index_(index) {}

  /// Nothing where the record has no such member.
  std::optional<JsonValue> find(const char* key) const { return value_.find(key); }

  std::int64_t integer(const char* key) const;
  std::optional<std::int64_t> optional_integer(const char* key) const;
  /// A whole number or a string.
  Id id(const char* key) const;
  /// Any number, NaN and infinities too, which Python writes and reads.
  double number(const char* key) const;
  /// false, true, or an integer (0 is false); false where there is none.
  bool flag(const char* key) const;
  /// "" where there is none, or null.
  std::string text(const char* key) const;
  /// Four numbers, NaN and infinities too; nothing where there is no such member, or it is null or [].
  std::optional<std::array<double, 4>> box(const char* key) const;

  /// An element of an array, as integer() reads a member. `what` names it: "segmentation.size[0]".
  std::int64_t to_integer(const JsonValue& value, std::string_view what) const;
  /// Finite.
  double to_number(const JsonValue& value, std::string_view what) const;

  /// "instances.json: annotations[17] (id 42)"
  std::string where() const;
  /// Throws Error: "WHERE: WHAT must be EXPECTED, but is FOUND". `found` nothing: "but is missing".
  [[noreturn]] void fail(std::string_view what, std::string_view expected, const std::optional<JsonValue>& found) const;

 private:
  JsonValue value_;
  std::string_view file_, section_;
  std::size_t index_;
};

using RecordReader = std::function<void(const Record&)>;

/// Reads a file that holds one object, and passes each element of the members named in `sections` (all of them arrays)
/// to its reader. Other members are checked for syntax and skipped. Memory: the file's bytes, and 16 for
/// each value of the record that is being read.
///
/// Returns the names of the sections that the file has. Throws Error for a file that cannot be read, is not valid JSON
/// (with the line and column), nests deeper than 32, names a section twice, or has another shape; what readers throw
/// passes through.
std::set<std::string> read_sections(const std::filesystem::path& path,
                                    const std::map<std::string, RecordReader>& sections);

/// The same for a file that holds one array; `name` stands for it in messages ("results").
void read_list(const std::filesystem::path& path, std::string_view name, const RecordReader& reader);

}  // namespace maskrt::coco
