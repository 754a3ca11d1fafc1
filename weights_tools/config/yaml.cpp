#include "yaml.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "maskrt/types.hpp"
#include "python_literal.h"

namespace maskrt::weights {
namespace {

// A dumped detectron2 config has 300 values, seven levels and 10 kB; class lists may add some thousands.
constexpr std::size_t kLongestText = std::size_t{1} << 18;
constexpr int kDeepest = 32;
constexpr int kMostValues = 1 << 14;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto word : words)
    if (text == word) return true;
  return false;
}

class Converter {
 public:
  explicit Converter(const std::string& source) : source_(std::make_shared<const std::string>(source)) {}

  // yaml-cpp shares a node between its anchor and its aliases, so a small text can be an endless or an exponential
  // tree: depth and count are bounded while the tree is copied.
  ConfigValue convert(const YAML::Node& node, int depth) {
    ConfigValue value;
    value.origin = {source_, node.Mark().line + 1};
    if (depth > kDeepest)
      fail(value,
           "expected at most " + std::to_string(kDeepest) + " nested levels, found more (or an alias of itself)");
    if (++count_ > kMostValues)
      fail(value, "expected at most " + std::to_string(kMostValues) + " values, found more once aliases are expanded");
    check_tag(node, value);
    if (node.IsScalar()) count_text(node.Scalar().size(), value);
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        break;
      case YAML::NodeType::Scalar:
        scalar(node, value);
        break;
      case YAML::NodeType::Sequence:
        value.kind = ConfigValue::Kind::list;
        for (const auto& item : node) value.items.push_back(convert(item, depth + 1));
        break;
      case YAML::NodeType::Map:
        map(node, depth, value);
        break;
    }
    return value;
  }

  [[noreturn]] void fail(const ConfigValue& value, const std::string& what) const {
    throw Error(to_string(value.origin) + ": " + what);
  }

 private:
  // An alias of one long string is a short text too.
  void count_text(std::size_t length, const ConfigValue& value) {
    expanded_ += length;
    if (expanded_ > kLongestText)
      fail(value, "expected at most " + std::to_string(kLongestText) + " bytes, found more once aliases are expanded");
  }

  void check_tag(const YAML::Node& node, const ConfigValue& value) const {
    std::string_view tag = node.Tag();
    constexpr std::string_view kYaml = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!") return;
    if (tag.starts_with(kYaml)) tag.remove_prefix(kYaml.size());
    if (!is_one_of(tag, {"str", "int", "float", "bool", "null", "seq", "map", "python/tuple", "python/str"}))
      fail(value, "expected plain data, found the tag '" + node.Tag().substr(0, 80) + "'");
  }

  void scalar(const YAML::Node& node, ConfigValue& value) const {
    const auto& text = node.Scalar();
    const bool plain = node.Tag() == "?";
    if (plain && is_one_of(text, {"", "~", "null", "Null", "NULL"})) return;
    const bool yes = is_one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"});
    if (plain && (yes || is_one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}))) {
      value.kind = ConfigValue::Kind::boolean;
      value.boolean = yes;
      return;
    }
    value = literal_or_string(text, Origin(value.origin));
  }

  void map(const YAML::Node& node, int depth, ConfigValue& value) {
    value.kind = ConfigValue::Kind::map;
    // Merged mappings give what the mapping itself does not say, wherever `<<` stands.
    for (const auto& entry : node)
      if (entry.first.IsScalar() && entry.first.Scalar() == "<<") merge(convert(entry.second, depth + 1), value);
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) fail(value, "expected names as keys, found a list or a mapping");
      count_text(entry.first.Scalar().size(), value);
      if (entry.first.Scalar() != "<<") value.set(entry.first.Scalar(), convert(entry.second, depth + 1));
    }
  }

  void merge(const ConfigValue& from, ConfigValue& into) const {
    if (from.kind == ConfigValue::Kind::list) {
      for (auto item = from.items.rbegin(); item != from.items.rend(); ++item) merge(*item, into);
      return;
    }
    if (from.kind != ConfigValue::Kind::map) fail(from, "expected a mapping after '<<', found " + describe(from));
    for (std::size_t i = 0; i < from.keys.size(); ++i) into.set(from.keys[i], from.items[i]);
  }

  std::shared_ptr<const std::string> source_;
  int count_ = 0;
  std::size_t expanded_ = 0;
};

}  // namespace

ConfigValue parse_yaml(const std::string& text, const std::string& source) {
  if (text.size() > kLongestText)
    throw Error(source + ": expected a config of at most " + std::to_string(kLongestText) + " bytes, found " +
                std::to_string(text.size()));
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() != 1)
      throw Error(source + ": expected one YAML document, found " + std::to_string(documents.size()));
    Converter converter(source);
    ConfigValue root = converter.convert(documents.front(), 0);
    if (root.kind != ConfigValue::Kind::map)
      throw Error(source + ": expected a mapping of config keys, found " + describe(root));
    return root;
  } catch (const YAML::Exception& error) {
    throw Error(source + ", line " + std::to_string(error.mark.line + 1) + ": expected YAML, found: " + error.msg);
  }
}

}  // namespace maskrt::weights
