#include "category_json.h"

#include <cstdint>
#include <istream>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace maskrt::weights {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 64;
constexpr std::size_t kMostCategories = std::size_t{1} << 20, kLongestName = 1024;

// Follows the parser's events. Depth counts open brackets; the list of categories lies at depth 1 (alone) or 2 (inside
// an object), its objects one deeper, a color's numbers one deeper again.
class Handler : public nlohmann::json_sax<Json> {
 public:
  explicit Handler(const std::string& where) : where_(where) {}

  std::vector<Category> take() {
    if (!found_) fail("a list of COCO categories, or an object that holds one as 'categories'", "neither");
    return std::move(categories_);
  }

  bool null() override { return value("null"); }
  bool boolean(bool flag) override {
    if (in_field("isthing")) return set_thing(flag);
    return value("true or false");
  }
  bool number_integer(std::int64_t number) override { return integer(number); }
  bool number_unsigned(std::uint64_t number) override {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return integer(static_cast<std::int64_t>(std::min(number, kMost)));
  }
  bool number_float(double, const std::string&) override { return value("a fraction"); }
  bool string(std::string& text) override {
    if (!in_field("name")) return value("a string");
    if (text.size() > kLongestName)
      fail("a category's 'name'", "a string of " + std::to_string(text.size()) + " bytes");
    current_.name = text;
    has_name_ = true;
    return true;
  }
  bool binary(Json::binary_t&) override { return value("binary data"); }

  bool start_object(std::size_t) override {
    if (list_depth_ != 0 && depth_ == list_depth_) {
      current_ = {};
      has_id_ = has_name_ = false;
    } else {
      value("an object");
    }
    return enter();
  }
  bool key(std::string& name) override {
    if (depth_ == 1 || at_category()) key_ = name;
    return true;
  }
  bool end_object() override {
    if (at_category()) {
      if (!has_id_ || !has_name_)
        fail("an 'id' and a 'name' in each category", "none in category " + std::to_string(categories_.size() + 1));
      if (categories_.size() == kMostCategories) fail("a number of categories that a model can have", "more");
      categories_.push_back(current_);
    }
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    const bool alone = depth_ == 0, inside = depth_ == 1 && list_depth_ == 0 && key_ == "categories";
    if (alone || inside) {
      if (inside && found_) fail("'categories' once", "it twice");
      list_depth_ = depth_ + 1;
      found_ = true;
    } else if (in_field("color")) {
      colors_ = 0;
    } else {
      value("a list");
    }
    return enter();
  }
  bool end_array() override {
    if (list_depth_ != 0 && depth_ == list_depth_ + 2 && key_ == "color" && colors_ != 3)
      fail("three numbers from 0 to 255 as 'color'", std::to_string(colors_));
    if (depth_ == list_depth_) list_depth_ = 0;
    --depth_;
    return true;
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

  bool at_category() const { return list_depth_ != 0 && depth_ == list_depth_ + 1; }
  bool in_field(const char* name) const { return at_category() && key_ == name; }
  bool in_color() const { return list_depth_ != 0 && depth_ == list_depth_ + 2 && key_ == "color"; }

  bool enter() {
    if (++depth_ > kDeepest) fail("at most " + std::to_string(kDeepest) + " nested levels", "more");
    return true;
  }

  // A value where nothing of ours may stand, or one that does not matter.
  bool value(const std::string& what) const {
    if (list_depth_ != 0 && depth_ == list_depth_) fail("objects in the list of categories", what);
    if (in_field("id")) fail("an integer as a category's 'id'", what);
    if (in_field("name")) fail("a string as a category's 'name'", what);
    if (in_field("isthing")) fail("0 or 1 as a category's 'isthing'", what);
    if (in_field("color") || in_color()) fail("three numbers from 0 to 255 as 'color'", what);
    return true;
  }

  bool set_thing(bool flag) {
    current_.is_thing = flag;
    return true;
  }

  bool integer(std::int64_t number) {
    if (in_field("id")) {
      if (number < 0 || number > std::numeric_limits<int>::max())
        fail("a category's 'id' from 0 to 2147483647", std::to_string(number));
      current_.id = static_cast<int>(number);
      has_id_ = true;
      return true;
    }
    if (in_field("isthing")) {
      if (number != 0 && number != 1) return value(std::to_string(number));
      return set_thing(number == 1);
    }
    if (in_color()) {
      if (number < 0 || number > 255 || colors_ == 3) return value("more, or " + std::to_string(number));
      current_.color[colors_++] = static_cast<std::uint8_t>(number);
      return true;
    }
    return value(std::to_string(number));
  }

  const std::string& where_;
  std::vector<Category> categories_;
  Category current_;
  std::string key_;
  int depth_ = 0, list_depth_ = 0, colors_ = 0;
  bool found_ = false, has_id_ = false, has_name_ = false;
};

}  // namespace

std::vector<Category> read_category_json(std::istream& file, const std::string& where) {
  Handler handler(where);
  Json::sax_parse(file, &handler);
  return handler.take();
}

}  // namespace maskrt::weights
