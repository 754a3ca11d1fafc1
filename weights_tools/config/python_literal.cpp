#include "python_literal.h"

#include <charconv>
#include <string>
#include <system_error>

namespace maskrt::weights {
namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kLongest = std::size_t{1} << 14;  // longer text is a string, whatever it looks like

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Recursive descent over one literal; every function leaves `at_` behind what it took, or fails.
class Parser {
 public:
  Parser(std::string_view text, const Origin& origin) : text_(text), origin_(origin) {}

  // `1, 2` is a tuple without parentheses.
  std::optional<ConfigValue> whole() {
    auto first = value(0);
    if (!first) return std::nullopt;
    if (!take(',')) return at_end() ? std::move(first) : std::nullopt;
    ConfigValue tuple = make(ConfigValue::Kind::list);
    tuple.items.push_back(std::move(*first));
    while (!at_end()) {
      auto next = value(0);
      if (!next) return std::nullopt;
      tuple.items.push_back(std::move(*next));
      if (!take(',') && !at_end()) return std::nullopt;
    }
    return tuple;
  }

 private:
  ConfigValue make(ConfigValue::Kind kind) const {
    ConfigValue made;
    made.kind = kind;
    made.origin = origin_;
    return made;
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }
  char peek() {
    skip_spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<ConfigValue> value(int depth) {
    if (depth > kDeepest || at_end()) return std::nullopt;
    switch (peek()) {
      case '(':
        return sequence('(', ')', depth);
      case '[':
        return sequence('[', ']', depth);
      case '{':
        return dict(depth);
      case '\'':
      case '"':
        return string();
      default:
        return is_digit(peek()) || peek() == '.' || peek() == '-' || peek() == '+' ? number() : word();
    }
  }

  // `(x)` is x itself; `(x,)` and `()` are tuples.
  std::optional<ConfigValue> sequence(char open, char close, int depth) {
    take(open);
    ConfigValue list = make(ConfigValue::Kind::list);
    bool comma = false;
    while (!take(close)) {
      if (!list.items.empty() && !comma) return std::nullopt;
      auto item = value(depth + 1);
      if (!item) return std::nullopt;
      list.items.push_back(std::move(*item));
      comma = take(',');
    }
    if (open == '(' && list.items.size() == 1 && !comma) {
      ConfigValue inner = std::move(list.items.front());
      return inner;
    }
    return list;
  }

  std::optional<ConfigValue> dict(int depth) {
    take('{');
    ConfigValue map = make(ConfigValue::Kind::map);
    bool comma = true;
    while (!take('}')) {
      if (!comma || (peek() != '\'' && peek() != '"')) return std::nullopt;
      const auto key = string();
      if (!key || !take(':')) return std::nullopt;
      auto item = value(depth + 1);
      if (!item) return std::nullopt;
      if (map.keys.size() == ConfigValue::kMostKeys && map.find(key->text) == nullptr) return std::nullopt;
      map.set(key->text, std::move(*item));
      comma = take(',');
    }
    return map;
  }

  std::optional<ConfigValue> string() {
    const char quote = text_[at_++];
    ConfigValue made = make(ConfigValue::Kind::string);
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\n') return std::nullopt;
      if (c == '\\') {
        if (at_ == text_.size()) return std::nullopt;
        c = text_[at_++];
        switch (c) {
          case 'n':
            c = '\n';
            break;
          case 't':
            c = '\t';
            break;
          case '\\':
          case '\'':
          case '"':
            break;
          default:
            return std::nullopt;  // escapes that no config needs
        }
      }
      made.text += c;
    }
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    return made;
  }

  std::optional<ConfigValue> number() {
    bool negative = false;
    while (peek() == '-' || peek() == '+') negative ^= text_[at_++] == '-';
    // The characters of a number, without the underscores Python allows between digits.
    std::string digits;
    bool real = false;
    skip_spaces();
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const bool exponent_sign = (c == '-' || c == '+') && !digits.empty() && (digits.back() | 0x20) == 'e';
      if (c == '_' && !digits.empty() && is_digit(digits.back())) continue;
      if (!is_digit(c) && c != '.' && (c | 0x20) != 'e' && !exponent_sign) break;
      real |= !is_digit(c);
      digits += c;
    }
    if (at_ < text_.size() && is_name(text_[at_])) return std::nullopt;  // 0x10, 3j
    const char* const end = digits.data() + digits.size();
    if (!real) {
      if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;  // 010 is no Python
      ConfigValue made = make(ConfigValue::Kind::integer);
      const auto [stop, error] = std::from_chars(digits.data(), end, made.integer);
      if (error == std::errc() && stop == end) {
        if (negative) made.integer = -made.integer;
        return made;
      }
    }
    ConfigValue made = make(ConfigValue::Kind::real);
    const auto [stop, error] = std::from_chars(digits.data(), end, made.real);
    if (error != std::errc() || stop != end) return std::nullopt;
    if (negative) made.real = -made.real;
    return made;
  }

  std::optional<ConfigValue> word() {
    std::string_view name = text_.substr(at_);
    std::size_t length = 0;
    while (length < name.size() && is_name(name[length])) ++length;
    name = name.substr(0, length);
    at_ += length;
    if (name == "None") return make(ConfigValue::Kind::none);
    if (name != "True" && name != "False") return std::nullopt;
    ConfigValue made = make(ConfigValue::Kind::boolean);
    made.boolean = name == "True";
    return made;
  }

  std::string_view text_;
  const Origin& origin_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<ConfigValue> parse_python_literal(std::string_view text, const Origin& origin) {
  if (text.size() > kLongest) return std::nullopt;
  return Parser(text, origin).whole();
}

ConfigValue literal_or_string(std::string_view text, const Origin& origin) {
  if (auto literal = parse_python_literal(text, origin)) return std::move(*literal);
  ConfigValue value;
  value.kind = ConfigValue::Kind::string;
  value.text = text;
  value.origin = origin;
  return value;
}

}  // namespace maskrt::weights
