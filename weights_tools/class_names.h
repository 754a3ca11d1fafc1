// Lists of names to categories: from JSON, YAML and text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::weights {

inline constexpr std::size_t kMostCategories = std::size_t{1} << 20, kLongestName = 1024;

/// Class names, each with a number or all without.
struct ClassNames {
  std::vector<std::string> names;
  std::vector<std::int64_t> numbers;  ///< empty, or one a name
};

/// The whole number that a key is: "0", "17".
std::optional<std::int64_t> key_number(std::string_view key);

/// Without numbers, class i is the i-th name and ids count from 1. Numbers from 0 on without a gap are the classes',
/// and ids count from 1, too; other numbers are ids. Throws Error that begins with `where` for a number twice, one that
/// no id can be, and a name that is too long.
std::vector<Category> categories_of(const ClassNames& names, const std::string& where);

}  // namespace maskrt::weights
