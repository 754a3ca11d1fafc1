#include "pickle_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "maskrt/types.hpp"

namespace maskrt::weights::pickle {
namespace {

// The number that `digits` hexadecimal characters at `position` stand for.
std::uint32_t hexadecimal(std::string_view text, std::size_t position, std::size_t digits) {
  const auto part = text.substr(std::min(position, text.size()), digits);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number, 16);
  if (part.size() != digits || error != std::errc() || end != part.data() + part.size()) {
    throw Error("expected " + std::to_string(digits) + " hexadecimal digits after a backslash in a string, found \"" +
                std::string(part) + "\"");
  }
  return number;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80u | ((code >> shift) & 0x3fu)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0u | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0u | (code >> 12));
    tail(6);
    tail(0);
  } else {
    if (code > 0x10ffff) throw Error("expected a character up to U+10FFFF in a string, found a larger one");
    out += static_cast<char>(0xf0u | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

std::string unquote(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back() || (literal.front() != '\'' && literal.front() != '"')) {
    throw Error("expected a quoted string, found one without quotes");
  }
  literal = literal.substr(1, literal.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\') {
      out += literal[i];
      continue;
    }
    if (++i == literal.size()) throw Error("expected a character after the last backslash of a string, found none");
    switch (literal[i]) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case '\\':
      case '\'':
      case '"':
        out += literal[i];
        break;
      case 'x':
        out += static_cast<char>(hexadecimal(literal, i + 1, 2));
        i += 2;
        break;
      default:
        throw Error(std::string("expected an escape that repr() writes, found \\") + literal[i]);
    }
  }
  return out;
}

std::string utf8_from_raw_unicode_escape(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::size_t digits = !line.substr(i).starts_with('\\')     ? 0
                               : line.substr(i + 1).starts_with('u') ? 4
                               : line.substr(i + 1).starts_with('U') ? 8
                                                                     : 0;
    if (digits == 0) {
      append_utf8(out, static_cast<unsigned char>(line[i]));
    } else {
      append_utf8(out, hexadecimal(line, i + 2, digits));
      i += 1 + digits;
    }
  }
  return out;
}

std::string utf8_from_latin1(std::string_view latin1) {
  std::string out;
  for (const char c : latin1) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

std::vector<std::byte> latin1_from_utf8(std::string_view utf8) {
  std::vector<std::byte> out;
  // Exactly, for this may be most of a file: every character has one byte that is not a continuation.
  out.reserve(static_cast<std::size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; })));
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      out.push_back(std::byte{lead});
      continue;
    }
    // U+0080 to U+00FF are the two-byte sequences that start with C2 or C3.
    const auto next = i + 1 < utf8.size() ? static_cast<unsigned char>(utf8[i + 1]) : 0u;
    if ((lead != 0xc2 && lead != 0xc3) || (next & 0xc0u) != 0x80u) {
      throw Error("expected text that latin1 can encode, found a character beyond U+00FF or malformed UTF-8");
    }
    out.push_back(static_cast<std::byte>(((lead & 0x03u) << 6) | (next & 0x3fu)));
    ++i;
  }
  return out;
}

}  // namespace maskrt::weights::pickle
