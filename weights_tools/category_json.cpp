#include "category_json.h"

#include <algorithm>
#include <cstdint>
#include <istream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "class_names.h"
#include "graph/model_file.h"
#include "label_color.h"

namespace maskrt::weights {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 64;

// Where names may stand, in the order of preference. "" is the document itself.
constexpr const char* kPlaces[] = {"categories", "id2label", "names", "thing_classes", "classes", ""};

bool is_place(const std::string& key) {
  return std::find(std::begin(kPlaces), std::end(kPlaces), key) != std::end(kPlaces);
}

void sort_by_id(std::vector<Category>& categories, const std::string& where) {
  std::stable_sort(categories.begin(), categories.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < categories.size(); ++i)
    if (categories[i].id == categories[i - 1].id)
      throw Error(where + ": expected each category id once, found " + std::to_string(categories[i].id) + " for '" +
                  categories[i - 1].name + "' and '" + categories[i].name + "'");
}

// Follows the parser's events. Depth counts open brackets. A collection, which may hold categories or names, is the
// document itself (its values lie at depth 1) or the value of one of its keys (depth 2); a category's fields lie one
// deeper, a colour's numbers one deeper again.
class Handler : public nlohmann::json_sax<Json> {
 public:
  explicit Handler(const std::string& where) : where_(where) {}

  Labels take() {
    if (!categories_.empty() || (lists_categories_ && !names_.contains("categories"))) {
      if (names_.contains(lists_categories_ ? "categories" : "")) fail("either categories or names in a list", "both");
      sort_by_id(categories_, where_);
      Labels labels{std::move(categories_), {}};
      if (strange_colors_ > 0)
        labels.left_out.push_back(where_ + ": left out " + std::to_string(strange_colors_) +
                                  (strange_colors_ == 1 ? " colour that is" : " colours that are") +
                                  " not understood, " + first_strange_color_);
      return labels;
    }
    for (const char* place : kPlaces) {
      if (const auto problem = problems_.find(place); problem != problems_.end())
        fail("names in '" + problem->first + "'", problem->second);
      if (const auto found = names_.find(place); found != names_.end())
        return {categories_of(found->second, where_), {}};
    }
    fail("a list of COCO categories or of names, or an object that holds one as 'categories' or 'names'", "neither");
  }

  bool null() override { return in_field("color") || value("null"); }
  bool boolean(bool flag) override {
    if (in_field("isthing")) return set_thing(flag);
    return value(flag ? "true" : "false");
  }
  bool number_integer(std::int64_t number) override { return integer(number); }
  bool number_unsigned(std::uint64_t number) override {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return integer(static_cast<std::int64_t>(std::min(number, kMost)));
  }
  bool number_float(double number, const std::string& text) override {
    if (in_color()) return color_number(number);
    return value(in_field("color") ? text : "a fraction");
  }
  bool string(std::string& text) override {
    if (at_collection()) return add_name(text);
    if (in_field("name")) {
      if (text.size() > kLongestName)
        fail("a category's 'name'", "a string of " + std::to_string(text.size()) + " bytes");
      current_.name = text;
      has_name_ = true;
      return true;
    }
    if (in_field("color")) {
      set_color(color_from_text(text), "'" + text.substr(0, 40) + "'");
      return true;
    }
    return value("a string");
  }
  bool binary(Json::binary_t&) override { return value("binary data"); }

  bool start_object(std::size_t) override {
    if (at_collection() && is_list_ && holds_categories()) {
      current_ = {};
      in_category_ = true;
      has_id_ = has_name_ = false;
      strange_color_.clear();
    } else if (depth_ == 0) {
      open_collection("", false);
    } else if (depth_ == 1 && is_place(key_) && !is_list_) {
      open_collection(key_, false);
    } else {
      value("an object");
    }
    return enter();
  }
  bool key(std::string& name) override {
    if (depth_ <= collection_depth_ || at_category()) key_ = name;
    return true;
  }
  bool end_object() override {
    if (at_category()) {
      if (!has_id_ || !has_name_)
        fail("an 'id' and a 'name' in each category", "none in category " + std::to_string(categories_.size() + 1));
      if (categories_.size() == kMostCategories) fail("a number of categories that a model can have", "more");
      if (!strange_color_.empty() && ++strange_colors_ == 1)
        first_strange_color_ = (strange_color_ + " of '").append(current_.name) + "'";
      categories_.push_back(current_);
      in_category_ = false;
    }
    return leave();
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) {
      open_collection("", true);
    } else if (depth_ == 1 && !is_list_ && is_place(key_)) {
      open_collection(key_, true);
    } else if (in_field("color")) {
      color_.clear();
      is_color_ = true;
    } else {
      value("a list");
    }
    return enter();
  }
  bool end_array() override {
    if (in_color()) {
      set_color(color_from_numbers(color_), "a list of " + std::to_string(color_.size()));
      is_color_ = false;
    }
    return leave();
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
    if (dynamic_cast<const Json::out_of_range*>(&error) != nullptr)
      fail("numbers that a double can hold", "a larger one before byte " + std::to_string(position));
    // The library's text starts with "[json.exception.parse_error.101] parse error at line 1, column 2: ".
    std::string what = error.what();
    if (const auto colon = what.find(": "); colon != std::string::npos) what.erase(0, colon + 2);
    throw Error(where_ + ", byte " + std::to_string(position) + ": expected JSON, found: " + what);
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw Error(where_ + ": expected " + expected + ", found " + found);
  }

  bool at_collection() const { return collection_depth_ != 0 && depth_ == collection_depth_; }
  bool at_category() const { return in_category_ && depth_ == collection_depth_ + 1; }
  bool holds_categories() const { return place_.empty() || place_ == "categories"; }
  bool in_field(const char* name) const { return at_category() && key_ == name; }
  bool in_color() const { return is_color_ && depth_ == collection_depth_ + 2; }

  // The document's own collection is an object until a list in it opens, and is one again behind that list.
  void open_collection(const std::string& place, bool is_list) {
    if (place == "categories") {
      if (lists_categories_) fail("'categories' once", "it twice");
      lists_categories_ = is_list;
    }
    place_ = place;
    is_list_ = is_list;
    collection_depth_ = depth_ + 1;
    if (!holds_categories()) names_[place] = {};  // the last of equal keys counts, and an empty one counts
  }

  bool enter() {
    if (++depth_ > kDeepest) fail("at most " + std::to_string(kDeepest) + " nested levels", "more");
    return true;
  }

  bool leave() {
    if (at_collection() && depth_ == 2) {
      place_.clear();
      is_list_ = false;
      collection_depth_ = 1;
    }
    --depth_;
    return true;
  }

  // In an object, what does not have a number as its key is something else.
  bool add_name(const std::string& name) {
    const auto number = key_number(key_);
    if (!is_list_ && !number) return true;
    auto& list = names_[place_];
    if (list.names.size() == kMostCategories) fail("a number of names that a model can have", "more");
    list.names.push_back(name);
    if (!is_list_) list.numbers.push_back(number.value_or(0));
    return true;
  }

  // A value where nothing of ours may stand, or one that does not matter.
  bool value(const std::string& what) {
    if (at_collection() && is_list_ && holds_categories()) fail("categories or names in the list", what);
    // Another file's key of the same name, perhaps: wrong only if nothing else is found.
    if (at_collection() && !place_.empty()) problems_.emplace(place_, what);
    if (in_field("id")) fail("an integer as a category's 'id'", what);
    if (in_field("name")) fail("a string as a category's 'name'", what);
    if (in_field("isthing")) fail("0 or 1 as a category's 'isthing'", what);
    if (in_field("color")) set_color(std::nullopt, what);
    if (in_color()) color_number(-1);  // no number, and so no colour
    return true;
  }

  bool set_thing(bool flag) {
    current_.is_thing = flag;
    return true;
  }

  void set_color(const std::optional<Color>& color, const std::string& written) {
    if (color)
      std::copy(color->begin(), color->end(), current_.color);
    else
      strange_color_ = written;
  }

  bool color_number(double number) {
    constexpr std::size_t kMost = 8;  // as good as any larger number
    if (color_.size() < kMost) color_.push_back(number);
    return true;
  }

  bool integer(std::int64_t number) {
    if (in_field("id")) {
      if (number < 0 || number > graph::kLargestCategoryId)
        fail("a category's 'id' from 0 to " + std::to_string(graph::kLargestCategoryId), std::to_string(number));
      current_.id = static_cast<int>(number);
      has_id_ = true;
      return true;
    }
    if (in_field("isthing")) {
      if (number != 0 && number != 1) return value(std::to_string(number));
      return set_thing(number == 1);
    }
    if (in_color()) return color_number(static_cast<double>(number));
    return value(std::to_string(number));
  }

  const std::string& where_;
  std::vector<Category> categories_;
  std::map<std::string, ClassNames> names_;      // by their place
  std::map<std::string, std::string> problems_;  // what stands in a place instead of names
  Category current_;
  std::string key_, place_, strange_color_, first_strange_color_;
  std::vector<double> color_;
  std::size_t strange_colors_ = 0;
  int depth_ = 0, collection_depth_ = 0;
  bool is_list_ = false, is_color_ = false, lists_categories_ = false, in_category_ = false, has_id_ = false,
       has_name_ = false;
};

}  // namespace

Labels read_category_json(std::istream& file, const std::string& where) {
  Handler handler(where);
  Json::sax_parse(file, &handler);
  return handler.take();
}

}  // namespace maskrt::weights
