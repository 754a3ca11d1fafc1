// Attributes of operations as JSON: what the model file's graph has of each node beside its name and values.
#pragma once

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "op.h"

namespace maskrt::graph {

/// `object` with the attributes of an operation, or of a part of one, after the keys that it has.
template <typename Attributed>
nlohmann::ordered_json with_attributes(const Attributed& attributed, nlohmann::ordered_json object);

/// Writes attributes into an object: with_attributes() does.
class AttributeWriter {
 public:
  using Json = nlohmann::ordered_json;
  /// `defaults` holds all attributes of a default-constructed one.
  AttributeWriter(Json& object, const Json& defaults) : object_(object), defaults_(defaults) {}

  void integer(const char* name, std::int64_t value, std::int64_t, std::int64_t, InFiles in_files = InFiles::always) {
    write(name, value, in_files);
  }
  void real(const char* name, double value, double, double, InFiles in_files = InFiles::always) {
    write(name, value, in_files);
  }
  void boolean(const char* name, bool value, InFiles in_files = InFiles::always) { write(name, value, in_files); }
  void activation(const char* name, Activation value, InFiles in_files = InFiles::always) {
    write(name, name_of(value), in_files);
  }
  void constant(const char* name, const ConstantPtr& value, bool, InFiles in_files = InFiles::always) {
    write(name, value ? Json(value->name()) : Json(nullptr), in_files);
  }
  template <typename Part>
  void parts(const char* name, const std::vector<Part>& list, std::size_t, std::size_t,
             InFiles in_files = InFiles::always) {
    Json objects = Json::array();
    for (const Part& part : list) objects.push_back(with_attributes(part, Json::object()));
    write(name, std::move(objects), in_files);
  }

 private:
  void write(const char* name, Json value, InFiles in_files) {
    const auto by_default = defaults_.find(name);
    if (in_files == InFiles::unless_default && by_default != defaults_.end() && *by_default == value) return;
    object_[name] = std::move(value);
  }

  Json& object_;
  const Json& defaults_;
};

template <typename Attributed>
nlohmann::ordered_json with_attributes(const Attributed& attributed, nlohmann::ordered_json object) {
  const auto none = nlohmann::ordered_json::object();
  auto defaults = nlohmann::ordered_json::object();
  AttributeWriter all(defaults, none);
  const Attributed plain;
  Attributed::visit_attributes(plain, all);
  AttributeWriter writer(object, defaults);
  Attributed::visit_attributes(attributed, writer);
  return object;
}

/// One node's object, or that of a part of its operation: every key is asked for once, and none may be left over.
class NodeReader {
 public:
  using FindConstant = std::function<ConstantPtr(const std::string&)>;
  NodeReader(const nlohmann::json& object, std::size_t index, const FindConstant& find)
      : NodeReader(object, "node " + std::to_string(index), find) {
    where_ = "node " + text("name");
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error("graph: " + where_ + ": " + what); }

  const nlohmann::json& get(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(std::string("expected \"") + key + "\", found none");
    used_.insert(key);
    return *found;
  }
  const nlohmann::json& list(const char* key) {
    const auto& value = get(key);
    if (!value.is_array()) fail(std::string("expected ") + key + " to be a list");
    return value;
  }
  std::string text(const char* key) {
    const auto& value = get(key);
    if (!value.is_string()) fail(std::string("expected \"") + key + "\" to be a string");
    return value.get<std::string>();
  }
  void expect_nothing_else() const {
    for (const auto& [key, value] : object_.items())
      if (used_.count(key) == 0) fail("expected only keys that the operation has, found \"" + key + "\"");
  }

  template <typename Integer>
  void integer(const char* name, Integer& value, std::int64_t low, std::int64_t high,
               InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& number = get(name);
    // Unsigned numbers beyond int64 exist in JSON; they are out of any range here.
    const bool fits = number.is_number_integer() &&
                      (!number.is_number_unsigned() || number.get<std::uint64_t>() <= static_cast<std::uint64_t>(high));
    const auto found = fits ? number.get<std::int64_t>() : std::numeric_limits<std::int64_t>::min();
    if (found < low || found > high)
      fail(std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
           ", found " + number.dump());
    value = static_cast<Integer>(found);
  }
  void real(const char* name, double& value, double low, double high, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& number = get(name);
    if (!number.is_number() || !(number.get<double>() >= low && number.get<double>() <= high))
      fail(std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
           ", found " + number.dump());
    value = number.get<double>();
  }
  void boolean(const char* name, bool& value, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& found = get(name);
    if (!found.is_boolean()) fail(std::string("expected ") + name + " to be true or false, found " + found.dump());
    value = found.get<bool>();
  }
  void activation(const char* name, Activation& value, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto found = text(name);
    std::string known;
    for (const Activation candidate : kActivations) {
      if (found == name_of(candidate)) {
        value = candidate;
        return;
      }
      known += (known.empty()                      ? ""
                : candidate == kActivations.back() ? " or "
                                                   : ", ") +
               std::string(name_of(candidate));
    }
    fail(std::string("expected ") + name + " " + known + ", found " + found);
  }
  void constant(const char* name, ConstantPtr& value, bool optional, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& found = get(name);
    if (found.is_null() && optional) return;
    if (!found.is_string()) fail(std::string("expected ") + name + " to name a tensor");
    value = find_(found.get<std::string>());
    if (!value)
      fail(std::string("expected ") + name + " to name a tensor of the file, found " + found.get<std::string>());
  }

  template <typename Part>
  void parts(const char* name, std::vector<Part>& value, std::size_t fewest, std::size_t most,
             InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& objects = list(name);
    if (objects.size() < fewest || objects.size() > most)
      fail("expected from " + std::to_string(fewest) + " to " + std::to_string(most) + " " + name + ", found " +
           std::to_string(objects.size()));
    value.assign(objects.size(), Part());
    for (std::size_t i = 0; i < value.size(); ++i) {
      NodeReader reader(objects[i], where_ + ": " + name + " " + std::to_string(i), find_);
      Part::visit_attributes(value[i], reader);
      reader.expect_nothing_else();
    }
  }

 private:
  NodeReader(const nlohmann::json& object, std::string where, const FindConstant& find)
      : object_(object), where_(std::move(where)), find_(find) {
    if (!object.is_object()) fail("expected an object");
  }

  /// True where the file may lack the attribute and does: the operation then keeps what it was made with.
  bool stays_default(const char* name, InFiles in_files) const {
    return in_files == InFiles::unless_default && !object_.contains(name);
  }

  const nlohmann::json& object_;
  std::string where_;
  const FindConstant& find_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace maskrt::graph
