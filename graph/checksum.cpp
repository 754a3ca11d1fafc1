#include "checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace maskrt::graph {

std::optional<std::size_t> find_checksum(std::string_view header) {
  // Inside a JSON string a quotation mark has a backslash before it, so this token can only be a key.
  const auto token = '"' + std::string(kChecksumKey) + '"';
  auto at = header.find(token);
  if (at == std::string_view::npos) return {};
  at += token.size();
  const auto skip = [&](std::string_view expected) {
    while (at < header.size() && (header[at] == ' ' || header[at] == '\n' || header[at] == '\r' || header[at] == '\t'))
      ++at;
    if (header.substr(at, expected.size()) != expected) return false;
    at += expected.size();
    return true;
  };
  if (!skip(":") || !skip('"' + std::string(kChecksumPrefix))) return {};
  if (at + kChecksumDigits >= header.size() || header[at + kChecksumDigits] != '"') return {};
  return at;
}

// Aligned as XXH3_createState() would have it; part of the object, so that there is one allocation that can fail.
struct Xxh3::State {
  XXH3_state_t hash;
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->hash); }
Xxh3::~Xxh3() = default;

void Xxh3::update(std::span<const std::byte> bytes) {
  if (!bytes.empty()) XXH3_64bits_update(&state_->hash, bytes.data(), bytes.size());
}

std::uint64_t Xxh3::digest() const { return XXH3_64bits_digest(&state_->hash); }

std::string digits_of(std::uint64_t hash) {
  std::string text(kChecksumDigits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, hash >>= 4) *digit = "0123456789abcdef"[hash & 15];
  return text;
}

void update_without_digits(Xxh3& hash, std::span<const std::byte> beginning, std::size_t digits) {
  static constexpr std::string_view zeros = "0000000000000000";
  static_assert(zeros.size() == kChecksumDigits);
  hash.update(beginning.first(digits));
  hash.update(std::as_bytes(std::span(zeros)));
  hash.update(beginning.subspan(digits + kChecksumDigits));
}

std::string checksum(std::span<const std::span<const std::byte>> parts, std::size_t digits) {
  Xxh3 hash;
  update_without_digits(hash, parts[0], digits);
  for (const auto part : parts.subspan(1)) hash.update(part);
  return digits_of(hash.digest());
}

}  // namespace maskrt::graph
