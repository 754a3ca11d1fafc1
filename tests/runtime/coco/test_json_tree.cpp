// The JSON reader of COCO files against nlohmann's parser: what one takes for JSON the other does, with the same
// values.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>

#include "runtime/coco/json_tree.h"
#include "support/json_agreement.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;
using testing::fault_of;
using testing::kDeepest;
using testing::same;

/// Both parsers on a text; true where it is JSON. Numbers that only one of them reads are left out by the callers.
bool agrees(const std::string& text) {
  INFO(text);
  JsonTree tree;
  const auto fault = fault_of(text, tree);
  if (fault == JsonFault::Kind::depth) return false;
  const json want = json::parse(text, nullptr, false);
  CHECK(fault.has_value() == want.is_discarded());
  if (fault || want.is_discarded()) return false;
  CHECK(same(JsonValue(tree), want));
  return true;
}

}  // namespace

TEST_CASE("valid JSON has the values that another parser finds") {
  for (const char* text : {"0",
                           "-0",
                           "-12",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "18446744073709551615",
                           "1.5",
                           "-0.25",
                           "1e3",
                           "1E+03",
                           "2.5e-3",
                           "1e-400",
                           "4.9e-324",
                           "123456789012345678901234567890",
                           "true",
                           "false",
                           "null",
                           "\"\"",
                           R"("a\"b\\c\/d\b\f\n\r\t")",
                           R"("\u0041\u00e9\u20ac\ud83d\ude00\u0000")",
                           "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
                           "\"\x7f\"",
                           "[]",
                           "{}",
                           " [ 1 , [ ] , { } ] ",
                           "\t{\"a\":1,\n\"b\"\r:[2]}",
                           R"({"a": 1, "a": 2, "b": {"a": 3}})",
                           R"({"\u0061": 1})",
                           "\xef\xbb\xbf[1]",
                           "[[[[[[[[]]]]]]]]"})
    CHECK(agrees(text));
}

TEST_CASE("what is no JSON is refused") {
  using namespace std::string_literals;
  for (const std::string& text : {""s,
                                  " "s,
                                  "["s,
                                  "]"s,
                                  "{"s,
                                  "[1"s,
                                  "[1,"s,
                                  "[1,]"s,
                                  "[,1]"s,
                                  "[1 2]"s,
                                  "{\"a\"}"s,
                                  "{\"a\":}"s,
                                  "{\"a\":1,}"s,
                                  "{1:2}"s,
                                  "{\"a\" 1}"s,
                                  "[1}"s,
                                  "{\"a\":1]"s,
                                  "tru"s,
                                  "truex"s,
                                  "nul"s,
                                  "True"s,
                                  "nan"s,
                                  "inf"s,
                                  "+1"s,
                                  "01"s,
                                  "-"s,
                                  "-a"s,
                                  ".5"s,
                                  "1."s,
                                  "1.e2"s,
                                  "1e"s,
                                  "1e+"s,
                                  "0x1"s,
                                  "1_000"s,
                                  "\""s,
                                  "\"a"s,
                                  "\"\\"s,
                                  "\"\\x\""s,
                                  "\"\\u12\""s,
                                  "\"\\u12g4\""s,
                                  "\"\\ud800\""s,
                                  "\"\\ud800\\u0041\""s,
                                  "\"\\udc00\""s,
                                  "\"a\nb\""s,
                                  "\"\t\""s,
                                  "\"\0\""s,
                                  "\"\\\0\""s,
                                  "\0"s,
                                  "\"\xff\""s,
                                  "\"\xc0\xaf\""s,
                                  "\"\xe0\x80\x80\""s,
                                  "\"\xed\xa0\x80\""s,
                                  "\"\xf4\x90\x80\x80\""s,
                                  "\"\xf5\x80\x80\x80\""s,
                                  "\"\xc3\""s,
                                  "\"\xe2\x82\""s,
                                  "1 1"s,
                                  "[] []"s,
                                  "/**/1"s,
                                  "'a'"s,
                                  "\xef\xbb 1"s})
    CHECK_FALSE(agrees(text));
}

TEST_CASE("a byte 0 ends nothing") {
  JsonTree tree;
  CHECK(fault_of(std::string_view("1\0", 2), tree) == JsonFault::Kind::syntax);
}

TEST_CASE("numbers that only Python writes are read") {
  JsonTree tree;
  for (const auto& [text, value] :
       {std::pair("[NaN]", 0.0), {"[Infinity]", 1.0}, {"[-Infinity]", -1.0}, {"[1e999]", 1.0}, {"[-1e999]", -1.0}}) {
    INFO(text);
    REQUIRE_FALSE(fault_of(text, tree));
    JsonValue(tree).for_each([want = value](const JsonValue& number) {
      CHECK(std::isnan(number.number()) == (want == 0));
      if (want != 0) CHECK(number.number() == want * INFINITY);
      CHECK_FALSE(number.integer());
    });
  }
  for (const char* text : {"[-NaN]", "[NAN]", "[Inf]", "[infinity]", "[NaNs]"}) CHECK(fault_of(text, tree));
  CHECK(JsonScanner::without_odd_numbers("[NaN, -Infinity, 1e999, 2.5, x", kDeepest) ==
        "[1  , 1        , 1    , 2.5, x");
}

TEST_CASE("nesting is bounded, where values are kept and where they are skipped") {
  JsonTree tree;
  const std::string text = std::string(kDeepest + 1, '[') + std::string(kDeepest + 1, ']');
  CHECK(fault_of(text, tree) == JsonFault::Kind::depth);
  CHECK(fault_of(std::string(100000, '['), tree) == JsonFault::Kind::depth);
  CHECK(fault_of("[[[[[[[{\"a\":[", tree) == JsonFault::Kind::depth);
}

TEST_CASE("damaged texts: both parsers agree") {
  const std::string whole =
      R"({"images": [{"id": 1, "file_name": "a\u00e9\\\"b.jpg", "height": 480, "ok": [true, false, null]}, {"id": -2.5e3}],
          "x": {"counts": "a\\b`0", "size": [480, 640], "e": 1E-7, "n": 0.125}, "caf)"
      "\xc3\xa9"
      R"(": [[], {}]})";
  REQUIRE(agrees(whole));
  constexpr std::string_view bytes("0123456789-+.eE[]{},:\"\\ntu \x80\xc3\xa9\x1f\0", 32);
  std::mt19937 random(1);
  int valid = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = whole;
    for (unsigned damages = 1 + random() % 3; damages > 0; --damages) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = bytes[random() % bytes.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 5);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 12));
      }
    }
    if (text.find("e99") != std::string::npos || text.find("E99") != std::string::npos) continue;
    valid += agrees(text) ? 1 : 0;
  }
  CHECK(valid > 1000);
}

}  // namespace maskrt::coco
