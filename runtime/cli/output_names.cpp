#include "output_names.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>

#include "graph/utf8.h"

namespace maskrt::cli {
namespace {

// With "_", a number, "_", a label and "_iam.jpg" a name stays below the 255 bytes that file systems take.
constexpr std::size_t kLongestStem = 200, kLongestLabel = 40;

const std::string kMaskEnd = ".png", kActivationsEnd = "_iam";

constexpr std::string_view kRefusedOnSomeSystems = "<>:\"|?*\\/";

std::string valid_name(const std::string& name) {
  std::string clean;
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t start = i;
    const char32_t code = next_code_point(name, i);
    const bool bad = code == kNotUtf8 || code < 0x20 || (code >= 0x7f && code < 0xa0) ||
                     (code < 0x80 && kRefusedOnSomeSystems.find(static_cast<char>(code)) != std::string::npos);
    clean += bad ? "_" : name.substr(start, i - start);
  }
  return clean;
}

/// At most `bytes` from the start, whole characters.
std::string head(const std::string& name, std::size_t bytes) {
  std::size_t end = std::min(bytes, name.size());
  while (end > 0 && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return name.substr(0, end);
}

/// FNV-1a: names of one folder are not made to collide, and unique_stem() would number those that did.
std::string checksum(const std::string& text) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(sum));
  return digits.data();
}

/// What is equal for names that a file system may take for one.
class CaseFolding {
 public:
  CaseFolding() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  CaseFolding(const CaseFolding&) = delete;
  CaseFolding& operator=(const CaseFolding&) = delete;
  ~CaseFolding() {
    if (locale_ != nullptr) freelocale(locale_);
  }

  std::u32string operator()(const std::string& name) const {
    std::u32string folded;
    for (std::size_t i = 0; i < name.size();) {
      char32_t code = next_code_point(name, i);
      if (locale_ != nullptr)
        code = static_cast<char32_t>(towlower_l(towupper_l(static_cast<wint_t>(code), locale_), locale_));
      else if (code < 0x80)
        code = static_cast<char32_t>(std::tolower(static_cast<int>(code)));
      folded += code;
    }
    return folded;
  }

 private:
  locale_t locale_;
};

std::string instance_name(const std::string& stem, std::size_t index, const std::string& label,
                          const std::string& end) {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "_%03zu_", index);
  return stem + number.data() + sanitised(label) + end;
}

bool is_instance_name(const std::string& name, const std::set<std::string>& stems, const std::string& end) {
  if (!name.ends_with(end)) return false;
  for (std::size_t i = name.find('_'); i != std::string::npos; i = name.find('_', i + 1)) {
    const std::size_t after = name.find_first_not_of("0123456789", i + 1);
    if (after != std::string::npos && after >= i + 4 && name[after] == '_' && stems.contains(name.substr(0, i)))
      return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> output_stems(const std::vector<std::filesystem::path>& pictures) {
  const CaseFolding fold;
  std::set<std::u32string> taken;
  std::vector<std::string> stems;
  for (const std::filesystem::path& picture : pictures) {
    const std::string name = picture.stem().string();
    std::string stem = valid_name(name);
    constexpr std::size_t number = 8;  // room for "_2", "_3", ...
    if (stem.size() > kLongestStem - number) {
      const std::string sum = checksum(name);
      stem = head(stem, kLongestStem - number - sum.size() - 1) + "-" + sum;
    }
    std::string unique = stem;
    for (int i = 2; !taken.insert(fold(unique)).second; ++i) unique = stem + "_" + std::to_string(i);
    stems.push_back(std::move(unique));
  }
  return stems;
}

std::string mask_name(const std::string& stem, std::size_t index, const std::string& label) {
  return instance_name(stem, index, label, kMaskEnd);
}

bool is_mask_name(const std::string& name, const std::set<std::string>& stems) {
  return is_instance_name(name, stems, kMaskEnd);
}

std::string activations_name(const std::string& stem, std::size_t index, const std::string& label,
                             const std::string& extension) {
  return instance_name(stem, index, label, kActivationsEnd + extension);
}

bool is_activations_name(const std::string& name, const std::set<std::string>& stems, const std::string& extension) {
  return is_instance_name(name, stems, kActivationsEnd + extension);
}
std::string sanitised(const std::string& label) {
  std::string clean;
  for (const char c : label) {
    const auto byte = static_cast<unsigned char>(c);
    const bool digit = byte >= '0' && byte <= '9';
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    if (digit && (clean.empty() || clean.back() == '_')) clean += '-';
    if (digit || letter || c == '-' || c == '.')
      clean += c;
    else if (clean.empty() || clean.back() != '_')
      clean += '_';
  }
  clean.resize(std::min(clean.size(), kLongestLabel));
  return clean;
}

}  // namespace maskrt::cli
