#include "json_tree.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>

#include "graph/utf8.h"

namespace maskrt::coco {
namespace {

/// Bytes of a string that stand for themselves, one at a time: printable ASCII but the quote and the backslash.
constexpr auto kPlainBytes = [] {
  struct {
    bool plain[256];
  } table{};
  for (int c = 0x20; c < 0x80; ++c) table.plain[c] = c != '"' && c != '\\';
  return table;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The value of four hexadecimal digits; -1 where they are none.
int hex_unit(const char* text) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    unit = 16 * unit + digit;
  }
  return unit;
}

bool is_high_surrogate(int unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low_surrogate(int unit) { return unit >= 0xdc00 && unit < 0xe000; }

/// Bytes of the UTF-8 character that begins at `at`, in the shortest form and no surrogate; 0 where there is none.
int utf8_length(const char* at, const char* end) {
  const auto byte = [&](int i) { return at + i < end ? static_cast<unsigned char>(at[i]) : 0u; };
  const auto tails = [&](int first, int count) {
    for (int i = first; i < count; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const unsigned lead = byte(0), second = byte(1);
  if (lead >= 0xc2 && lead <= 0xdf) return tails(1, 2) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    return tails(1, 3) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
    return tails(1, 4) ? 4 : 0;
  }
  return 0;
}

/// The JSON string without its quotes, which the scanner has found to be one.
std::string resolve_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t escape = std::min(text.find('\\', at), text.size());
    out.append(text, at, escape - at);
    if (escape == text.size()) break;
    at = escape + 2;
    switch (const char c = text[escape + 1]) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        auto code = static_cast<std::uint32_t>(hex_unit(text.data() + at));
        at += 4;
        if (is_high_surrogate(static_cast<int>(code))) {
          const auto low = static_cast<std::uint32_t>(hex_unit(text.data() + at + 2));
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          at += 6;
        }
        append_utf8(out, code);
        break;
      }
      default:
        out.push_back(c);
    }
  }
  return out;
}

/// Collects nodes; what the scanner is told to keep.
class TreeSink {
 public:
  TreeSink(JsonTree& tree, const char* text) : nodes_(tree.nodes), text_(text) {
    tree.text = text;
    nodes_.clear();
  }
  void scalar(JsonType type, const char* begin, const char* end, bool plain = true) {
    nodes_.push_back({offset(begin), static_cast<std::uint32_t>(end - begin), next() + 1, type, plain});
    if (end - text_ > std::numeric_limits<std::uint32_t>::max()) throw JsonFault(JsonFault::Kind::size);
  }
  std::uint32_t open(JsonType type) {
    nodes_.push_back({0, 0, 0, type, true});
    return next() - 1;
  }
  void close(std::uint32_t container, std::uint32_t elements) {
    nodes_[container].extent = elements;
    nodes_[container].end = next();
  }

 private:
  std::uint32_t next() const { return static_cast<std::uint32_t>(nodes_.size()); }
  std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - text_); }

  std::vector<JsonNode>& nodes_;
  const char* text_;
};

/// For values that are checked and passed over.
struct NoSink {
  void scalar(JsonType, const char*, const char*, bool = true) {}
  std::uint32_t open(JsonType) { return 0; }
  void close(std::uint32_t, std::uint32_t) {}
};

}  // namespace

std::optional<JsonValue> JsonValue::find(std::string_view name) const {
  std::optional<JsonValue> found;
  for (std::uint32_t i = at_ + 1; i < node().end;) {
    const JsonValue key(*tree_, i);
    const bool same = key.node().plain ? key.scalar() == name : key.string() == name;
    if (same) found = JsonValue(*tree_, i + 1);
    i = tree_->nodes[i + 1].end;
  }
  return found;
}

std::optional<std::int64_t> JsonValue::integer() const {
  const std::string_view text = scalar();
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  const auto [stopped, error] = std::from_chars(text.data(), end, whole);
  if (error == std::errc() && stopped == end) return whole;
  if (!is_number()) return std::nullopt;
  const double value = number();
  if (error == std::errc::result_out_of_range || !(std::abs(value) <= 0x1p53) || value != std::trunc(value))
    return std::nullopt;
  return static_cast<std::int64_t>(value);
}

double JsonValue::number() const {
  const std::string_view text = scalar();
  if (text.back() == 'N') return std::numeric_limits<double>::quiet_NaN();
  if (text.back() == 'y')
    return text.front() == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // from_chars() does not tell too large from too small.
  return error == std::errc() ? value : std::strtod(std::string(text).c_str(), nullptr);
}

std::string JsonValue::string() const { return node().plain ? std::string(scalar()) : resolve_escapes(scalar()); }

JsonScanner::JsonScanner(std::string_view text, int depth)
    : at_(text.data()), end_(text.data() + text.size()), begin_(text.data()), most_(depth) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") at_ += 3;
}

/// The next byte that is no white space; '\0', which no value begins with, at the end.
char JsonScanner::peek() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  return at_ == end_ ? '\0' : *at_;
}

JsonType JsonScanner::next_type() {
  switch (peek()) {
    case '{':
      return JsonType::object;
    case '[':
      return JsonType::array;
    case '"':
      return JsonType::string;
    case 't':
    case 'f':
      return JsonType::boolean;
    case 'n':
      return JsonType::null;
    default:
      return JsonType::number;
  }
}

void JsonScanner::read(JsonTree& tree) {
  peek();
  TreeSink sink(tree, at_);
  value(sink);
}

void JsonScanner::skip() {
  NoSink sink;
  value(sink);
}

void JsonScanner::open() {
  if (++depth_ > most_) fail(JsonFault::Kind::depth);
}

bool JsonScanner::enter() {
  closing_.push_back(peek() == '{' ? '}' : ']');
  ++at_;
  open();
  if (peek() != closing_.back()) return true;
  ++at_;
  --depth_;
  closing_.pop_back();
  return false;
}

bool JsonScanner::more() {
  const char c = peek();
  if (c != ',' && c != closing_.back()) fail();
  ++at_;
  if (c == ',') return true;
  --depth_;
  closing_.pop_back();
  return false;
}

std::string JsonScanner::name() {
  JsonTree tree;
  if (peek() != '"') fail();
  TreeSink sink(tree, at_);
  string(sink);
  if (peek() != ':') fail();
  ++at_;
  return JsonValue(tree).string();
}

void JsonScanner::end() {
  if (peek() != '\0' || at_ != end_) fail();
}

template <typename Sink>
void JsonScanner::value(Sink& sink) {
  const char* const from = (peek(), at_);
  switch (const char c = peek()) {
    case '{':
    case '[':
      container(sink, c);
      break;
    case '"':
      string(sink);
      break;
    case 't':
      literal("true");
      sink.scalar(JsonType::boolean, from, at_);
      break;
    case 'f':
      literal("false");
      sink.scalar(JsonType::boolean, from, at_);
      break;
    case 'n':
      literal("null");
      sink.scalar(JsonType::null, from, at_);
      break;
    default:
      number(sink);
  }
}

template <typename Sink>
void JsonScanner::container(Sink& sink, char opening) {
  const bool object = opening == '{';
  const char closing = object ? '}' : ']';
  ++at_;
  open();
  const std::uint32_t node = sink.open(object ? JsonType::object : JsonType::array);
  std::uint32_t elements = 0;
  if (peek() != closing) {
    do {
      if (object) {
        if (peek() != '"') fail();
        string(sink);
        if (peek() != ':') fail();
        ++at_;
      }
      value(sink);
      ++elements;
    } while (peek() == ',' && ++at_ != end_);
    if (peek() != closing) fail();
  }
  ++at_;
  --depth_;
  sink.close(node, elements);
}

template <typename Sink>
void JsonScanner::string(Sink& sink) {
  const char* const from = ++at_;
  bool plain = true;
  for (;;) {
    while (at_ != end_ && kPlainBytes.plain[static_cast<unsigned char>(*at_)]) ++at_;
    if (at_ == end_) fail();
    if (*at_ == '"') break;
    if (*at_ == '\\') {
      plain = false;
      escape();
      continue;
    }
    const int length = utf8_length(at_, end_);
    if (length == 0) fail();
    at_ += length;
  }
  sink.scalar(JsonType::string, from, at_, plain);
  ++at_;
}

void JsonScanner::escape() {
  const auto unit = [&] { return end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u' ? hex_unit(at_ + 2) : -1; };
  if (end_ - at_ < 2) fail();
  if (at_[1] != 'u') {
    if (at_[1] == '\0' || std::strchr("\"\\/bfnrt", at_[1]) == nullptr) fail();
    at_ += 2;
    return;
  }
  const int first = unit();
  if (first < 0 || is_low_surrogate(first)) fail();
  at_ += 6;
  if (!is_high_surrogate(first)) return;
  if (!is_low_surrogate(unit())) fail();
  at_ += 6;
}

void JsonScanner::literal(std::string_view word) {
  if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) != word) fail();
  at_ += word.size();
}

/// Takes NaN, Infinity or -Infinity where one comes.
bool JsonScanner::odd_number() {
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) != word) continue;
    at_ += word.size();
    return true;
  }
  return false;
}

void JsonScanner::digits() {
  if (at_ == end_ || !is_digit(*at_)) fail();
  while (at_ != end_ && is_digit(*at_)) ++at_;
}

template <typename Sink>
void JsonScanner::number(Sink& sink) {
  const char* const from = at_;
  const auto next_is = [&](char c) { return at_ != end_ && *at_ == c; };
  if (!odd_number()) {
    if (next_is('-')) ++at_;
    if (next_is('0')) {
      ++at_;
    } else {
      digits();
    }
    if (next_is('.')) {
      ++at_;
      digits();
    }
    if (next_is('e') || next_is('E')) {
      ++at_;
      if (next_is('+') || next_is('-')) ++at_;
      digits();
    }
  }
  sink.scalar(JsonType::number, from, at_);
  if (odd_ == nullptr) return;
  double value = 0;
  const auto [stopped, error] = std::from_chars(from, at_, value);
  if (error == std::errc() && std::isfinite(value)) return;
  char* const other = odd_->data() + (from - begin_);
  std::fill(other, other + (at_ - from), ' ');
  *other = '1';
}

std::string JsonScanner::without_odd_numbers(std::string_view text, int depth) {
  std::string other(text);
  JsonScanner scanner(text, depth);
  scanner.odd_ = &other;
  try {
    scanner.skip();
  } catch (const JsonFault&) {  // what comes after it does not matter
  }
  return other;
}

}  // namespace maskrt::coco
