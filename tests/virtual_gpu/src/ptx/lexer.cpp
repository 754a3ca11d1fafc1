#include "ptx/lexer.h"

#include <string>

#include "types.h"

namespace vgpu::ptx {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '%'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    tokens_.reserve(text_.size() / 4);
    while (true) {
      const std::size_t before = at_;
      skip_space();
      if (at_ >= text_.size()) break;
      glued_ = at_ == before;
      next();
    }
    tokens_.push_back({Token::Kind::end, {}, line_, false});
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        ++at_;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\0') {
        ++at_;
      } else if (c == '/' && peek(1) == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '/' && peek(1) == '*') {
        const std::size_t close = text_.find("*/", at_ + 2);
        if (close == std::string_view::npos) fail("a comment that is never closed");
        for (; at_ < close + 2; ++at_) line_ += text_[at_] == '\n';
      } else {
        return;
      }
    }
  }

  void next() {
    const char c = peek();
    const std::size_t start = at_;
    if (is_letter(c)) {
      while (is_word(peek())) ++at_;
      add(Token::Kind::word, start);
    } else if (c == '.' && is_word(peek(1))) {
      ++at_;
      while (is_word(peek()) || (peek() == ':' && peek(1) == ':' && is_word(peek(2)))) at_ += peek() == ':' ? 2 : 1;
      add(Token::Kind::directive, start + 1);
    } else if (is_digit(c)) {
      number();
      add(Token::Kind::number, start);
    } else if (c == '"') {
      const std::size_t close = text_.find('"', at_ + 1);
      if (close == std::string_view::npos) fail("a string that is never closed");
      at_ = close;
      add(Token::Kind::string, start + 1);
      ++at_;
    } else if (std::string_view("{}()[]<>,;:+-!|@=*?&~^/.#").find(c) != std::string_view::npos) {
      ++at_;
      add(Token::Kind::symbol, start);
    } else {
      fail("the character '" + std::string(1, c) + "', which PTX doesn't use");
    }
  }

  void number() {
    // 0f and 0d take 8 and 16 hexadecimal digits; 0x, 0b, octal and decimal integers may end in U.
    while (is_word(peek())) ++at_;
    const bool decimal_point = peek() == '.' && (is_digit(peek(1)) || !is_word(peek(1)));
    if (decimal_point) {
      ++at_;
      while (is_word(peek())) ++at_;
    }
    const char last = text_[at_ - 1];
    if (decimal_point && (last == 'e' || last == 'E') && (peek() == '-' || peek() == '+')) {
      ++at_;
      while (is_digit(peek())) ++at_;
    }
  }

  void add(Token::Kind kind, std::size_t start) {
    tokens_.push_back({kind, text_.substr(start, at_ - start), line_, glued_});
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error("PTX line " + std::to_string(line_) + ": expected a token, found " + what);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  bool glued_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).run(); }

}  // namespace vgpu::ptx
