#include "config_reader.h"

#include <cmath>

#include "maskrt/types.hpp"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

using Kind = ConfigValue::Kind;

[[noreturn]] void fail(const std::string& key, const ConfigValue& value, const std::string& expected) {
  throw Error(key + " (" + to_string(value.origin) + "): expected " + expected + ", found " + describe(value));
}

bool is_number(const ConfigValue& value) { return value.kind == Kind::integer || value.kind == Kind::real; }
double number_of(const ConfigValue& value) {
  return value.kind == Kind::integer ? static_cast<double>(value.integer) : value.real;
}

void collect_unread(const ConfigValue& map, const std::string& prefix, const std::set<std::string>& read,
                    std::vector<std::string>& out) {
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const auto key = prefix + map.keys[i];
    if (map.items[i].kind == Kind::map) {
      collect_unread(map.items[i], key + ".", read, out);
    } else if (!read.contains(key)) {
      out.push_back(key);
    }
  }
}

}  // namespace

const ConfigValue* ConfigReader::find(const std::string& key) {
  read_.insert(key);
  const ConfigValue* at = &root_;
  std::string_view rest = key;
  while (true) {
    const auto dot = rest.find('.');
    at = at->find(rest.substr(0, dot));
    if (at == nullptr || dot == std::string_view::npos) return at;
    rest.remove_prefix(dot + 1);
    if (at->kind != Kind::map) fail(key.substr(0, key.size() - rest.size() - 1), *at, "a mapping");
  }
}

std::string ConfigReader::where(const std::string& key) const {
  const auto* const value = const_cast<ConfigReader*>(this)->find(key);
  return key + " (" + (value == nullptr ? "the defaults" : to_string(value->origin)) + ")";
}

bool ConfigReader::boolean(const std::string& key, bool fallback) {
  const auto* const value = find(key);
  if (value == nullptr) return fallback;
  if (value->kind != Kind::boolean) fail(key, *value, "True or False");
  return value->boolean;
}

int ConfigReader::integer(const std::string& key, int fallback, int least, int most) {
  const auto* const value = find(key);
  if (value == nullptr) return fallback;
  if (value->kind != Kind::integer || value->integer < least || value->integer > most)
    fail(key, *value, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  return static_cast<int>(value->integer);
}

double ConfigReader::number(const std::string& key, double fallback, double least, double most) {
  const auto* const value = find(key);
  if (value == nullptr) return fallback;
  if (!is_number(*value) || !(number_of(*value) >= least && number_of(*value) <= most))
    fail(key, *value, "a number from " + short_number(least) + " to " + short_number(most));
  return number_of(*value);
}

std::string ConfigReader::string(const std::string& key, const std::string& fallback) {
  const auto* const value = find(key);
  if (value == nullptr) return fallback;
  if (value->kind == Kind::none) return {};
  if (value->kind != Kind::string) fail(key, *value, "a string");
  return value->text;
}

const ConfigValue* ConfigReader::list(const std::string& key, const std::string& expected) {
  const auto* const value = find(key);
  if (value != nullptr && value->kind != Kind::list) fail(key, *value, expected);
  return value;
}

std::vector<std::string> ConfigReader::strings(const std::string& key, const std::vector<std::string>& fallback) {
  const auto* const value = list(key, "a list of strings");
  if (value == nullptr) return fallback;
  std::vector<std::string> out;
  for (const auto& item : value->items) {
    if (item.kind != Kind::string) fail(key, item, "strings in the list");
    out.push_back(item.text);
  }
  return out;
}

std::vector<std::string> ConfigReader::suggested(const std::string& key) {
  const auto* const value = find(key);
  if (value == nullptr) return {};
  if (value->kind == Kind::string) return {value->text};
  if (value->kind != Kind::list) return {};
  std::vector<std::string> out;
  for (const auto& item : value->items)
    if (item.kind == Kind::string) out.push_back(item.text);
  return out;
}

std::vector<double> ConfigReader::numbers(const std::string& key, const std::vector<double>& fallback,
                                          std::size_t count) {
  const auto expected = "a list of " + std::to_string(count) + " numbers";
  const auto* const value = list(key, expected);
  if (value == nullptr) return fallback;
  if (value->items.size() != count) fail(key, *value, expected);
  std::vector<double> out;
  for (const auto& item : value->items) {
    if (!is_number(item) || !std::isfinite(number_of(item))) fail(key, item, "numbers in the list");
    out.push_back(number_of(item));
  }
  return out;
}

std::vector<bool> ConfigReader::booleans(const std::string& key, const std::vector<bool>& fallback, std::size_t count) {
  const auto expected = "a list of " + std::to_string(count) + " times True or False";
  const auto* const value = list(key, expected);
  if (value == nullptr) return fallback;
  if (value->items.size() != count) fail(key, *value, expected);
  std::vector<bool> out;
  for (const auto& item : value->items) {
    if (item.kind != Kind::boolean) fail(key, item, "True or False in the list");
    out.push_back(item.boolean);
  }
  return out;
}

std::vector<std::string> ConfigReader::unread() const {
  std::vector<std::string> out;
  collect_unread(root_, "", read_, out);
  return out;
}

}  // namespace maskrt::weights
