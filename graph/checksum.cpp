#include "checksum.h"

#include <array>
#include <memory>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "maskrt/types.hpp"

namespace maskrt::graph {

std::optional<std::size_t> find_checksum(std::string_view header) {
  // Inside a JSON string a quotation mark has a backslash before it, so this token can only be a key.
  const auto token = '"' + std::string(checksum_key) + '"';
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
  if (!skip(":") || !skip('"' + std::string(checksum_prefix))) return {};
  if (at + checksum_digits >= header.size() || header[at + checksum_digits] != '"') return {};
  return at;
}

std::string checksum(std::span<const std::span<const std::byte>> parts, std::size_t digits) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), XXH3_freeState);
  if (!state) throw Error("no memory for a checksum");
  XXH3_64bits_reset(state.get());
  const auto feed = [&](std::span<const std::byte> bytes) {
    if (!bytes.empty()) XXH3_64bits_update(state.get(), bytes.data(), bytes.size());
  };
  static constexpr std::string_view zeros = "0000000000000000";
  static_assert(zeros.size() == checksum_digits);
  feed(parts[0].first(digits));
  feed(std::as_bytes(std::span(zeros)));
  feed(parts[0].subspan(digits + checksum_digits));
  for (const auto part : parts.subspan(1)) feed(part);

  auto hash = XXH3_64bits_digest(state.get());
  std::string text(checksum_digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, hash >>= 4) *digit = "0123456789abcdef"[hash & 15];
  return text;
}

}  // namespace maskrt::graph
