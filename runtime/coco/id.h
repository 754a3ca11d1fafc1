// The id of an image or a category in a COCO file: an integer, or a string where a tool has written one.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace maskrt::coco {

/// As in Python, 1 and "1" are two ids. Numbers come before strings, strings in the order of their bytes.
class Id {
 public:
  Id(std::int64_t number = 0) : number_(number) {}  // NOLINT: numbers are ids
  explicit Id(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}

  bool is_text() const { return text_ != nullptr; }
  std::int64_t number() const { return number_; }
  const std::string& text() const { return *text_; }

  /// For messages: 17, or "17" with its quotes, escaped and cut where it is long.
  std::string described() const;

  bool operator==(const Id& other) const { return (*this <=> other) == 0; }
  std::strong_ordering operator<=>(const Id& other) const {
    if (is_text() != other.is_text()) return is_text() <=> other.is_text();
    return is_text() ? text().compare(other.text()) <=> 0 : number_ <=> other.number_;
  }

 private:
  std::int64_t number_ = 0;
  std::shared_ptr<const std::string>
      text_;  // null for numbers, which nearly all ids are: there is an id in every record
};

}  // namespace maskrt::coco
