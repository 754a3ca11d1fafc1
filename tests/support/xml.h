// A reader of small XML files, strict enough to tell whether a browser would show them.
#pragma once

#include <cctype>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "graph/utf8.h"

namespace maskrt::testing {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  ///< its own, without that of the elements inside

  double number(const std::string& attribute) const { return std::stod(attributes.at(attribute)); }
};

/// All elements of a document, in the order of their starts. Throws std::runtime_error for one that is not well-formed:
/// tags that do not match, attributes without quotes or twice, entities without a name, characters that XML does not
/// have, text outside of the one root. Comments, declarations and CDATA are not known.
class XmlReader {
 public:
  explicit XmlReader(std::string document) : text_(std::move(document)) {
    if (!is_utf8(text_)) fail("bytes that are not UTF-8");
    for (const char c : text_)
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') fail("a control character");
    if (text_.find("\xef\xbf\xbe") != std::string::npos || text_.find("\xef\xbf\xbf") != std::string::npos)
      fail("U+FFFE or U+FFFF");
    skip_space();
    read_element();
    skip_space();
    if (at_ != text_.size()) fail("something after the root");
  }
  const std::vector<XmlElement>& elements() const { return elements_; }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("not well-formed at " + std::to_string(at_) + ": " + what);
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void take(char c) {
    if (peek() != c) fail(std::string("expected ") + c);
    ++at_;
  }
  void skip_space() {
    while (std::isspace(static_cast<unsigned char>(peek())) != 0) ++at_;
  }
  std::string read_name() {
    const std::size_t start = at_;
    while (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '-' || peek() == ':') ++at_;
    if (start == at_) fail("expected a name");
    return text_.substr(start, at_ - start);
  }
  char read_entity() {
    const std::map<std::string, char> entities = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    take('&');
    const auto found = entities.find(read_name());
    if (found == entities.end()) fail("an unknown entity");
    take(';');
    return found->second;
  }
  /// Up to `end`, which is left.
  std::string read_text(char end) {
    std::string text;
    while (peek() != end) {
      if (peek() == '\0' || (peek() == '<' && end != '<')) fail("a text without its end");
      if (peek() == '&')
        text += read_entity();
      else
        text += text_[at_++];
    }
    return text;
  }
  void read_element() {
    take('<');
    const std::size_t index = elements_.size();
    elements_.push_back({read_name(), {}, {}});
    for (;;) {
      const std::size_t before = at_;
      skip_space();
      if (peek() == '/' || peek() == '>') break;
      if (before == at_) fail("expected a space");
      const std::string name = read_name();
      take('=');
      take('"');
      if (!elements_[index].attributes.emplace(name, read_text('"')).second) fail("an attribute twice");
      take('"');
    }
    if (peek() == '/') {
      ++at_;
      return take('>');
    }
    take('>');
    for (;;) {
      elements_[index].text += read_text('<');
      if (at_ + 1 < text_.size() && text_[at_ + 1] == '/') break;
      read_element();
    }
    at_ += 2;
    if (read_name() != elements_[index].name) fail("another element's end");
    take('>');
  }

  std::string text_;
  std::size_t at_ = 0;
  std::vector<XmlElement> elements_;
};

/// The texts of all elements of that name.
inline std::vector<std::string> texts_of(const std::vector<XmlElement>& elements, const std::string& name) {
  std::vector<std::string> texts;
  for (const XmlElement& element : elements)
    if (element.name == name) texts.push_back(element.text);
  return texts;
}

}  // namespace maskrt::testing
