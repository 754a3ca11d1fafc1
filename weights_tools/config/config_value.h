// What a detectron2 config holds once it is read: a tree of Python-like values, each with the place it came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace maskrt::weights {

/// Where a value was written.
struct Origin {
  std::shared_ptr<const std::string> source;  ///< a file's path, "the command line" or a published config's name
  int line = 0;                               ///< from 1; 0 where lines mean nothing
};

/// "config.yaml, line 12"
std::string to_string(const Origin& origin);

/// One value: a scalar, a list (Python's tuples too) or a mapping.
struct ConfigValue {
  enum class Kind : std::uint8_t { none, boolean, integer, real, string, list, map };

  Kind kind = Kind::none;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;                ///< of a string; of another scalar of a YAML file, as it is written there
  std::vector<ConfigValue> items;  ///< of a list; of a mapping, in the order of `keys`
  std::vector<std::string> keys;   ///< of a mapping, each once
  Origin origin;

  static constexpr std::size_t kMostKeys = 2048;

  /// The value under `key` of a mapping, or null.
  const ConfigValue* find(std::string_view key) const;
  ConfigValue* find(std::string_view key);
  /// Sets `key` of a mapping to `value`; a later value of the same key replaces the earlier one. Throws Error that
  /// names the value's origin for a mapping of more than `kMostKeys`, which are searched one by one.
  void set(std::string_view key, ConfigValue value);
  void erase(std::string_view key);
};

/// What an error message calls a value: "the integer 5", "the string 'abc'", "a list of 3", "a mapping".
std::string describe(const ConfigValue& value);

}  // namespace maskrt::weights
