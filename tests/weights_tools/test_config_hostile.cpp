// Configs that are damaged or made to do damage: each ends in a sentence or in a valid config, soon and in little
// memory.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "maskrt/types.hpp"
#include "support/files.h"
#include "weights_tools/config/config.h"
#include "weights_tools/config/yaml.h"
#include "weights_tools/families/sparse_inst/config.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

// Reads it all the way; what went wrong, or "" for a valid config. Anything but Error escapes and fails the test.
std::string outcome(const std::string& yaml) {
  try {
    const ConfigValue root = parse_yaml(yaml, "test.yaml");
    ConfigReader reader(root);
    read_sparse_inst_config(reader);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("YAML that refers to itself or explodes") {
  CHECK_THAT(outcome("a: &a [*a]"), Contains("alias of itself"));
  CHECK_THAT(outcome("a: &a {b: *a}"), Contains("alias of itself"));
  CHECK_THAT(outcome("MODEL: &a\n  RESNETS:\n    <<: *a\n"), Contains("alias of itself"));

  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto last = "*a" + std::to_string(i - 1), name = std::to_string(i);
    laughs.append("a").append(name).append(": &a").append(name);
    laughs.append(" [").append(repeat(last + ", ", 9)).append(last).append("]\n");
  }
  CHECK_THAT(outcome(laughs), Contains("values, found more once aliases are expanded"));
  CHECK_THAT(outcome("a: &a " + std::string(100000, 'x') + "\nb: [" + repeat("*a, ", 1000) + "*a]"),
             Contains("bytes, found more once aliases are expanded"));
  CHECK_THAT(outcome("a: &a \"[" + repeat("1, ", 4000) + "1]\"\nb: [" + repeat("*a, ", 1000) + "*a]"),
             Contains("bytes, found more once aliases are expanded"));
}

TEST_CASE("YAML that is too deep or too long") {
  for (const char* open : {"[", "{", "{a: ", "- ", "? ", "[? ", "[[{", "- - ? "}) {
    INFO(open);
    for (const int times : {33, 400, 600, 20000}) CHECK(outcome("a: " + repeat(open, times)) != "");
    CHECK(outcome(repeat(open, 20000)) != "");
  }
  std::string block;
  for (int i = 0; i < 300; ++i) block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK_THAT(outcome(block), Contains("expected at most 32 nested levels"));
  CHECK_THAT(outcome("a: " + std::string(300000, 'x')), Contains("expected a config of at most 262144 bytes"));
  CHECK(outcome(std::string(262144, '[')) != "");
  CHECK(outcome(repeat("a: 1\n", 50000)) != "");
  CHECK_THAT(outcome("MODEL: {PIXEL_MEAN: " + repeat("[", 30) + repeat("]", 30) + "}"),
             Contains("expected a list of 3 numbers"));
}

TEST_CASE("YAML that is none, or wants code to run") {
  CHECK_THAT(outcome(""), Contains("expected one YAML document, found 0"));
  CHECK_THAT(outcome("a: 1\n---\nb: 2"), Contains("expected one YAML document, found 2"));
  CHECK_THAT(outcome(","), Contains("expected one YAML document, found 0"));
  CHECK_THAT(outcome("a: 1\n---\n,"), !Contains("YAML::"));
  CHECK_THAT(outcome("[1, 2]"), Contains("expected a mapping of config keys, found a list of 2"));
  CHECK_THAT(outcome("just words"), Contains("expected a mapping of config keys, found the string"));
  CHECK_THAT(outcome("a: b: c"), Contains("test.yaml, line 1: expected YAML"));
  CHECK_THAT(outcome("a: [1\nb: 2"), Contains("expected YAML"));
  CHECK_THAT(outcome("a: *nobody"), Contains("expected YAML"));
  CHECK_THAT(outcome("{[1]: 2}"), Contains("expected names as keys"));
  CHECK_THAT(outcome("a: {<<: 5}"), Contains("expected a mapping after '<<', found the integer 5"));
  CHECK_THAT(outcome("a: !!python/object/apply:os.system ['touch /tmp/x']"),
             Contains("expected plain data, found the tag") && Contains("python/object/apply:os.system"));
  CHECK_THAT(outcome("a: !custom {}"), Contains("expected plain data, found the tag"));
  CHECK(outcome("a: !!python/tuple [1, 2]") == "");
  CHECK(outcome(std::string("a: \0b", 5)).find('\0') == std::string::npos);
}

TEST_CASE("a config cut off or with flipped bits") {
  const auto whole = testing::read_text(MASKRT_TEST_DATA "/fixtures/sparse_inst_r50_giam/config.yaml");
  REQUIRE(outcome(whole) == "");
  const auto started = std::chrono::steady_clock::now();
  int refused = 0, tried = 0;
  for (std::size_t length = 0; length < whole.size(); ++length, ++tried)
    refused += outcome(whole.substr(0, length)) != "";
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit, ++tried) {
      auto flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      refused += outcome(flipped) != "";
    }
  CHECK(refused > tried / 20);  // many changes are valid: training's keys, digits
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(120));
}

TEST_CASE("files that are no config") {
  const testing::TemporaryFolder folder;
  CHECK_THROWS_WITH(read_config(folder.path()), Contains("something that is no file"));
  CHECK_THROWS_WITH(read_config("/dev/zero"), Contains("something that is no file"));
  testing::write_text(folder / "long.yaml", std::string((1 << 20) + 1, 'x'));
  CHECK_THROWS_WITH(read_config(folder / "long.yaml"), Contains("expected a config file of at most 1048576 bytes"));
  CHECK_THROWS_AS(read_config(MASKRT_TEST_DATA "/fixtures/sparse_inst_r50_giam/image1.png"), Error);
}

}  // namespace
}  // namespace maskrt::weights
