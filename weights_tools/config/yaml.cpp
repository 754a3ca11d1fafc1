#include "yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <memory>
#include <sstream>
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

[[noreturn]] void fail_depth(const std::string& where) {
  throw Error(where + ": expected at most " + std::to_string(kDeepest) +
              " nested levels, found more (or an alias of itself)");
}

[[noreturn]] void fail_count(const std::string& where) {
  throw Error(where + ": expected at most " + std::to_string(kMostValues) +
              " values, found more once aliases are expanded");
}

// A document as it is written: an alias is one more reference to its anchor's node.
struct Node {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };

  Kind kind = Kind::null;
  int line = 0;  // from 1
  std::string tag, text;
  std::vector<const Node*> items;  // of a map: keys and values in turn
};

// Builds the nodes of one document from the parser's events. yaml-cpp's own nodes are not used: they take time that
// grows with the square of the text where there are many aliases, and its loader of whole texts never ends on some.
class Document final : public YAML::EventHandler {
 public:
  explicit Document(std::string source) : source_(std::move(source)) {}

  // Null for a text without a document.
  const Node* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(Node::Kind::null, mark, "", anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto node = anchors_.find(anchor);
    if (node == anchors_.end()) throw Error(where(mark) + ": expected an alias of an anchor, found none of that name");
    attach(node->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    add(Node::Kind::scalar, mark, tag, anchor).text = text;
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  std::string where(const YAML::Mark& mark) const { return source_ + ", line " + std::to_string(mark.line + 1); }

  Node& add(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    // A mapping of that many values has a key for each.
    if (nodes_.size() == 2 * kMostValues) fail_count(where(mark));
    Node& node = *nodes_.emplace_back(std::make_unique<Node>());
    node.kind = kind;
    node.line = mark.line + 1;
    node.tag = tag;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    attach(&node);
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (open_.size() > static_cast<std::size_t>(kDeepest)) fail_depth(where(mark));
    open_.push_back(&add(kind, mark, tag, anchor));
  }

  void attach(const Node* node) {
    if (open_.empty()) {
      root_ = node;
    } else {
      open_.back()->items.push_back(node);
    }
  }

  std::string source_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Node*> open_;  // the collections that are not complete, outermost first
  std::map<YAML::anchor_t, const Node*> anchors_;
  const Node* root_ = nullptr;
};

class Converter {
 public:
  explicit Converter(const std::string& source) : source_(std::make_shared<const std::string>(source)) {}

  // A node is shared between its anchor and its aliases, so a small text can be an endless or an exponential tree:
  // depth and count are bounded while the tree is copied.
  ConfigValue convert(const Node& node, int depth) {
    ConfigValue value;
    value.origin = {source_, node.line};
    if (depth > kDeepest) fail_depth(to_string(value.origin));
    if (++count_ > kMostValues) fail_count(to_string(value.origin));
    check_tag(node, value);
    switch (node.kind) {
      case Node::Kind::null:
        break;
      case Node::Kind::scalar:
        count_text(node.text.size(), value);
        scalar(node, value);
        break;
      case Node::Kind::sequence:
        value.kind = ConfigValue::Kind::list;
        for (const Node* item : node.items) value.items.push_back(convert(*item, depth + 1));
        break;
      case Node::Kind::map:
        map(node, depth, value);
        break;
    }
    return value;
  }

 private:
  [[noreturn]] void fail(const ConfigValue& value, const std::string& what) const {
    throw Error(to_string(value.origin) + ": " + what);
  }

  // An alias of one long string is a short text too.
  void count_text(std::size_t length, const ConfigValue& value) {
    expanded_ += length;
    if (expanded_ > kLongestText)
      fail(value, "expected at most " + std::to_string(kLongestText) + " bytes, found more once aliases are expanded");
  }

  void check_tag(const Node& node, const ConfigValue& value) const {
    std::string_view tag = node.tag;
    constexpr std::string_view kYaml = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!") return;
    if (tag.starts_with(kYaml)) tag.remove_prefix(kYaml.size());
    if (!is_one_of(tag, {"str", "int", "float", "bool", "null", "seq", "map", "python/tuple", "python/str"}))
      fail(value, "expected plain data, found the tag '" + node.tag.substr(0, 80) + "'");
  }

  void scalar(const Node& node, ConfigValue& value) const {
    const auto& text = node.text;
    const bool plain = node.tag == "?";
    if (plain && is_one_of(text, {"", "~", "null", "Null", "NULL"})) {
      value.text = text;
      return;
    }
    const bool yes = is_one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"});
    if (plain && (yes || is_one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}))) {
      value.kind = ConfigValue::Kind::boolean;
      value.boolean = yes;
      value.text = text;
      return;
    }
    value = literal_or_string(text, Origin(value.origin));
    if (value.kind != ConfigValue::Kind::string) value.text = text;
  }

  void map(const Node& node, int depth, ConfigValue& value) {
    value.kind = ConfigValue::Kind::map;
    // Merged mappings give what the mapping itself does not say, wherever `<<` stands.
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2)
      if (is_merge(*node.items[i])) merge(convert(*node.items[i + 1], depth + 1), value);
    for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const Node& key = *node.items[i];
      if (key.kind != Node::Kind::scalar) fail(value, "expected names as keys, found a list or a mapping");
      count_text(key.text.size(), value);
      if (!is_merge(key)) value.set(key.text, convert(*node.items[i + 1], depth + 1));
    }
  }

  static bool is_merge(const Node& key) { return key.kind == Node::Kind::scalar && key.text == "<<"; }

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
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Document document(source), next(source);
    // An empty document counts for none, as what follows a last "---" or "..." is.
    const auto read = [&](Document& into) {
      return parser.HandleNextDocument(into) && into.root() != nullptr && into.root()->kind != Node::Kind::null;
    };
    if (!read(document)) throw Error(source + ": expected one YAML document, found 0");
    if (read(next)) throw Error(source + ": expected one YAML document, found 2 or more");
    Converter converter(source);
    ConfigValue root = converter.convert(*document.root(), 0);
    if (root.kind != ConfigValue::Kind::map)
      throw Error(source + ": expected a mapping of config keys, found " + describe(root));
    return root;
  } catch (const YAML::Exception& error) {
    throw Error(source + ", line " + std::to_string(error.mark.line + 1) + ": expected YAML, found: " + error.msg);
  }
}

}  // namespace maskrt::weights
