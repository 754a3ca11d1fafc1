#include "class_names.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <system_error>

#include "graph/model_file.h"

namespace maskrt::weights {

std::optional<std::int64_t> key_number(std::string_view key) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return number;
}

std::vector<Category> categories_of(const ClassNames& list, const std::string& where) {
  const auto& numbers = list.numbers;
  std::vector<std::size_t> order(list.names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!numbers.empty())
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return numbers[a] < numbers[b]; });
  bool are_classes = true;
  for (std::size_t i = 0; i < order.size() && !numbers.empty(); ++i)
    are_classes = are_classes && numbers[order[i]] == static_cast<std::int64_t>(i);

  std::vector<Category> categories;
  for (const std::size_t i : order) {
    const std::string& name = list.names[i];
    if (name.size() > kLongestName)
      throw Error(where + ": expected names of at most " + std::to_string(kLongestName) + " bytes, found one of " +
                  std::to_string(name.size()));
    const auto id = are_classes ? static_cast<std::int64_t>(categories.size()) + 1 : numbers[i];
    if (id < 0 || id > graph::kLargestCategoryId)
      throw Error(where + ": expected a category's 'id' from 0 to " + std::to_string(graph::kLargestCategoryId) +
                  ", found " + std::to_string(id) + " for '" + name + "'");
    if (!categories.empty() && categories.back().id == id)
      throw Error(where + ": expected each category id once, found " + std::to_string(id) + " for '" +
                  categories.back().name + "' and '" + name + "'");
    categories.push_back({static_cast<int>(id), name, true, {}});
  }
  return categories;
}

}  // namespace maskrt::weights
