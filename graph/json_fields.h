// JSON objects of named fields, out of files that nobody vouches for.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "maskrt/types.hpp"

namespace maskrt::graph {

/// An object whose fields are asked for by name. A field that is not there leaves the default: files that were written
/// before it existed lack it. Every Error begins with `where`.
class JsonFields {
 public:
  using Json = nlohmann::json;

  JsonFields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail("expected an object, found " + object.dump());
  }
  [[noreturn]] void fail(const std::string& what) const { throw Error(where_ + ": " + what); }

  /// Null where there is no such field.
  const Json* find(const char* key) {
    asked_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  const Json& get(const char* key) {
    const Json* const found = find(key);
    if (found == nullptr) fail(std::string("expected \"") + key + "\", found none");
    return *found;
  }
  int integer(const Json& value, const char* key, int low, int high) const {
    if (!value.is_number_integer() || value.get<double>() < low || value.get<double>() > high)
      fail(std::string("expected ") + key + " from " + std::to_string(low) + " to " + std::to_string(high) +
           ", found " + value.dump());
    return value.get<int>();
  }
  float real(const Json& value, const char* key, double low, double high) const {
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high))
      fail(std::string("expected ") + key + " from " + std::to_string(low) + " to " + std::to_string(high) +
           ", found " + value.dump());
    return value.get<float>();
  }
  bool boolean(const Json& value, const char* key) const {
    if (!value.is_boolean()) fail(std::string("expected ") + key + " to be true or false, found " + value.dump());
    return value.get<bool>();
  }
  std::string text(const Json& value, const char* key) const {
    if (!value.is_string()) fail(std::string("expected ") + key + " to be a string, found " + value.dump());
    return value.get<std::string>();
  }
  const Json& three(const Json& value, const char* key) const {
    if (!value.is_array() || value.size() != 3)
      fail(std::string("expected ") + key + " to be 3 numbers, found " + value.dump());
    return value;
  }

  /// Throws Error where the object has fields that were not asked for: what a newer maskrt means by them is not known.
  void expect_nothing_else() const {
    for (const auto& [key, value] : object_.items()) {
      if (asked_.count(key) != 0) continue;
      std::string known;
      for (const std::string& one : asked_) known += (known.empty() ? "" : ", ") + one;
      fail("expected the fields " + known + ", found " + key + ", which a newer maskrt may have written");
    }
  }

 private:
  const Json& object_;
  std::string where_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace maskrt::graph
