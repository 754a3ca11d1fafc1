// Typed reading of a config's keys, with errors that name the key, the place, what was expected and what was found.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "config_value.h"

namespace maskrt::weights {

/// Far above any network that fits into memory: bounds of widths, which keep products of sizes inside 64 bits.
inline constexpr int kWidest = 1 << 16;

/// Reads keys of one config and remembers which. Each function gives `fallback` where the config says nothing, and
/// throws Error where it says something of another type or out of range. Keys are dotted paths.
class ConfigReader {
 public:
  /// `root` must outlive the reader.
  explicit ConfigReader(const ConfigValue& root) : root_(root) {}

  bool boolean(const std::string& key, bool fallback);
  int integer(const std::string& key, int fallback, int least, int most);
  /// An integer is a number too.
  double number(const std::string& key, double fallback, double least, double most);
  /// Python's None is the empty string: both mean "no such thing" (NORM).
  std::string string(const std::string& key, const std::string& fallback);
  std::vector<std::string> strings(const std::string& key, const std::vector<std::string>& fallback);
  /// A list of strings, or one string, for a key that only suggests something: whatever else stands there, for training
  /// to complain about, is none.
  std::vector<std::string> suggested(const std::string& key);
  std::vector<double> numbers(const std::string& key, const std::vector<double>& fallback, std::size_t count);
  std::vector<bool> booleans(const std::string& key, const std::vector<bool>& fallback, std::size_t count);

  /// "MODEL.MASK_ON (config.yaml, line 3)": where a key's value came from, for errors about its meaning.
  std::string where(const std::string& key) const;
  /// The keys that were asked for, whether the config has them or not.
  std::vector<std::string> asked() const { return {read_.begin(), read_.end()}; }
  /// The keys of the config that hold no mapping and were never asked for, in the config's order.
  std::vector<std::string> unread() const;

 private:
  const ConfigValue* find(const std::string& key);
  const ConfigValue* list(const std::string& key, const std::string& expected);
  const ConfigValue& root_;
  std::set<std::string> read_;
};

}  // namespace maskrt::weights
