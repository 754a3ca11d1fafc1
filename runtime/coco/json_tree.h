// JSON text, read value by value into flat trees: what large COCO files are parsed with.
//
// The text is JSON as RFC 8259 has it, and what Python's json writes beside it: NaN, Infinity and -Infinity are
// numbers, and so is one that no double can hold, which is infinite. A byte order mark in front is passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maskrt::coco {

enum class JsonType : std::uint8_t { null, boolean, number, string, array, object };

/// A value, or the name of a member, which stands in front of its value. Elements follow their container.
struct JsonNode {
  std::uint32_t begin = 0;   ///< a scalar's first byte in the tree's text, a string's without the quote
  std::uint32_t extent = 0;  ///< bytes of a scalar, elements or members of a container
  std::uint32_t end = 0;     ///< position of the node that follows this one and all that is within
  JsonType type = JsonType::null;
  bool plain = true;  ///< a string without escapes
};

/// One value with all that is within. Refers to the text it was read from.
struct JsonTree {
  const char* text = nullptr;
  std::vector<JsonNode> nodes;
};

/// A value of a tree; valid as long as the tree is, and no other value is read into it.
class JsonValue {
 public:
  explicit JsonValue(const JsonTree& tree, std::uint32_t at = 0) : tree_(&tree), at_(at) {}

  JsonType type() const { return node().type; }
  bool is_null() const { return type() == JsonType::null; }
  bool is_number() const { return type() == JsonType::number; }
  bool is_string() const { return type() == JsonType::string; }
  bool is_array() const { return type() == JsonType::array; }
  bool is_object() const { return type() == JsonType::object; }
  /// Elements of an array, members of an object.
  std::size_t size() const { return node().extent; }

  /// A member of an object, the last one of its name; nothing where there is none.
  std::optional<JsonValue> find(std::string_view name) const;

  /// Calls each(element) for the elements of an array.
  template <typename Each>
  void for_each(const Each& each) const {
    for (std::uint32_t i = at_ + 1; i < node().end; i = tree_->nodes[i].end) each(JsonValue(*tree_, i));
  }

  bool boolean() const { return scalar() == "true"; }
  /// A number that is whole and that 64 bits hold exactly, however it is written ("1.0"), or a string of digits alone;
  /// nothing otherwise.
  std::optional<std::int64_t> integer() const;
  double number() const;
  /// A string with its escapes resolved.
  std::string string() const;
  /// A scalar as it stands in the text, a string without quotes.
  std::string_view scalar() const { return {tree_->text + node().begin, node().extent}; }

 private:
  const JsonNode& node() const { return tree_->nodes[at_]; }

  const JsonTree* tree_;
  std::uint32_t at_;
};

/// The text is not JSON. A slower parser finds the place of the error.
class JsonFault : public std::exception {
 public:
  enum class Kind : std::uint8_t { syntax, depth, size };
  explicit JsonFault(Kind kind) : kind_(kind) {}
  Kind kind() const { return kind_; }
  const char* what() const noexcept override { return "not the JSON that was expected"; }

 private:
  Kind kind_;
};

/// Reads a text from its beginning to its end. Every call throws JsonFault.
class JsonScanner {
 public:
  /// `depth`: arrays and objects within each other, at most. `text` must outlive the scanner.
  JsonScanner(std::string_view text, int depth);

  /// The next value's type, of which nothing is taken yet.
  JsonType next_type();
  /// The next value. A tree holds values of less than 4 GB of text.
  void read(JsonTree& tree);
  void skip();

  /// Takes the beginning of an array or object; false where it has nothing in it, and its end is taken, too.
  bool enter();
  /// After an element of the array or object that was entered last: takes the comma, or its end and gives false.
  bool more();
  /// A member's name, and the colon.
  std::string name();

  /// Nothing but white space may be left.
  void end();

  /// The text with numbers that only Python reads replaced by others of the same length: what another parser would
  /// find wrong with it is what is wrong with it.
  static std::string without_odd_numbers(std::string_view text, int depth);

 private:
  template <typename Sink>
  void value(Sink& sink);
  template <typename Sink>
  void container(Sink& sink, char open);
  template <typename Sink>
  void string(Sink& sink);
  template <typename Sink>
  void number(Sink& sink);
  void escape();
  void literal(std::string_view word);
  bool odd_number();
  void digits();
  void open();
  char peek();
  [[noreturn]] static void fail(JsonFault::Kind kind = JsonFault::Kind::syntax) { throw JsonFault(kind); }

  const char *at_, *end_, *begin_;
  int depth_ = 0, most_;
  std::vector<char> closing_;   ///< closing brackets of the containers that enter() has opened
  std::string* odd_ = nullptr;  ///< where without_odd_numbers() puts others
};

}  // namespace maskrt::coco
