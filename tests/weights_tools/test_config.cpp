// detectron2 configs: bases, literals, overrides and keys.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "maskrt/types.hpp"
#include "support/files.h"
#include "weights_tools/config/config.h"
#include "weights_tools/config/config_reader.h"
#include "weights_tools/config/known_keys.h"
#include "weights_tools/config/python_literal.h"
#include "weights_tools/config/yaml.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;
using testing::TemporaryFolder;
using testing::write_text;

// The literal, written as Python's repr would: an independent spelling of the value to compare with.
std::string repr(const ConfigValue& value) {
  switch (value.kind) {
    case ConfigValue::Kind::none:
      return "None";
    case ConfigValue::Kind::boolean:
      return value.boolean ? "True" : "False";
    case ConfigValue::Kind::integer:
      return std::to_string(value.integer);
    case ConfigValue::Kind::real:
      return std::to_string(value.real);
    case ConfigValue::Kind::string:
      return "'" + value.text + "'";
    default:
      break;
  }
  const bool map = value.kind == ConfigValue::Kind::map;
  std::string text;
  for (std::size_t i = 0; i < value.items.size(); ++i)
    text += (i == 0 ? "" : ", ") + (map ? value.keys[i] + ": " : "") + repr(value.items[i]);
  return map ? "{" + text + "}" : "[" + text + "]";
}

TEST_CASE("Python literals") {
  const auto literal = [](const std::string& text) {
    const auto value = parse_python_literal(text, {});
    return value ? repr(*value) : "no literal";
  };
  CHECK(literal("(0.9, 0.9)") == "[0.900000, 0.900000]");
  CHECK(literal("(\"coco_2017_val\",)") == "['coco_2017_val']");
  CHECK(literal("('a', \"b\\\"c\",)") == "['a', 'b\"c']");
  CHECK(literal("()") == "[]");
  CHECK(literal("(7)") == "7");
  CHECK(literal("1, 2") == "[1, 2]");
  CHECK(literal("1,") == "[1]");
  CHECK(literal(" [ [32], [64, ] ] ") == "[[32], [64]]");
  CHECK(literal("-12") == "-12");
  CHECK(literal("1_000") == "1000");
  CHECK(literal("5e-05") == "0.000050");
  CHECK(literal("+.5") == "0.500000");
  CHECK(literal("99999999999999999999") == "100000000000000000000.000000");
  CHECK(literal("{'a': 1, 'b': [True, None]}") == "{a: 1, b: [True, None]}");
  for (const char* text : {"", "res4", "1 2", "(1", "[1,,2]", "[,]", "'open", "True.x", "0x10", "010", "1e", "--", ".",
                           "{1: 2}", "__import__('os')", "3j", "1.2.3", "'a' 'b", "{'a' 1}"})
    CHECK(literal(text) == "no literal");
  CHECK(literal(std::string(40, '(') + "1" + std::string(40, ')')) == "no literal");
}

TEST_CASE("YAML scalars are typed as Python's loader types them, then read as literals") {
  const auto root = parse_yaml(
      "a: null\nb: yes\nc: 'yes'\nd: 12\ne: 5e-5\nf: \"(1, 2)\"\ng: res4\nh: ''\ni: !!str off\nj: [1, x]\nk: .5\n"
      "l: ~\nm:\nn: \"None\"\no: (a, b)\n",
      "t.yaml");
  CHECK(repr(root) ==
        "{a: None, b: True, c: 'yes', d: 12, e: 0.000050, f: [1, 2], g: 'res4', h: '', i: 'off', j: [1, 'x'], "
        "k: 0.500000, l: None, m: None, n: None, o: '(a, b)'}");
}

TEST_CASE("YAML anchors and merge keys") {
  const auto root = parse_yaml("x: &x {p: 1, q: 2}\ny: {q: 3, <<: *x}\nz: {<<: [{p: 4}, *x]}\nw: *x\n", "t.yaml");
  CHECK(repr(*root.find("y")) == "{p: 1, q: 3}");
  CHECK(repr(*root.find("z")) == "{p: 4, q: 2}");
  CHECK(repr(*root.find("w")) == "{p: 1, q: 2}");
}

TEST_CASE("overrides replace what the file says and may be literals") {
  Config config{"test", parse_yaml("MODEL: {PIXEL_STD: [1, 1, 1], RESNETS: {NORM: BN}}", "test.yaml")};
  apply_overrides(config, {{"MODEL.PIXEL_STD", "(58.395, 57.12, 57.375)"},
                           {"MODEL.RESNETS.NORM", "None"},
                           {"MODEL.RESNETS.STRIDE_IN_1X1", "False"},
                           {"INPUT.FORMAT", "RGB"}});
  ConfigReader reader(config.root);
  CHECK(reader.numbers("MODEL.PIXEL_STD", {}, 3) == std::vector<double>{58.395, 57.12, 57.375});
  CHECK(reader.string("MODEL.RESNETS.NORM", "BN").empty());
  CHECK_FALSE(reader.boolean("MODEL.RESNETS.STRIDE_IN_1X1", true));
  CHECK(reader.string("INPUT.FORMAT", "BGR") == "RGB");
  CHECK(config.overridden == std::vector<std::string>{"MODEL.PIXEL_STD", "MODEL.RESNETS.NORM",
                                                      "MODEL.RESNETS.STRIDE_IN_1X1", "INPUT.FORMAT"});
  Config scalar{"test", parse_yaml("INPUT: 5", "test.yaml")};
  CHECK_THROWS_WITH(apply_overrides(scalar, {{"INPUT.FORMAT", "RGB"}}),
                    "INPUT.FORMAT (the command line): expected a mapping at INPUT, found the integer 5");
  CHECK_THROWS_WITH(apply_overrides(config, {{"MODEL.", "1"}}), Contains("expected a config key"));
}

TEST_CASE("a reader knows which keys were asked for, and which were not") {
  const ConfigValue root = parse_yaml("A: {B: 1, C: 2}\nD: 3\nE: {}\n", "test.yaml");
  ConfigReader reader(root);
  CHECK(reader.integer("A.B", 0, 0, 9) == 1);
  CHECK(reader.integer("F", 7, 0, 9) == 7);
  CHECK(reader.asked() == std::vector<std::string>{"A.B", "F"});
  CHECK(reader.unread() == std::vector<std::string>{"A.C", "D"});
}

TEST_CASE("keys of a file that are likely mistyped are told from a project's own") {
  std::vector<std::string> known = training_keys();
  known.insert(known.end(), inference_keys().begin(), inference_keys().end());
  CHECK(likely_mistakes({"MODEL.PIXEL_SDT", "MODEL.MY_HEAD.WIDTH", "SOLVER.BASE_LR", "MODEL.RESNETS.DEPHT", "COMMENT"},
                        known) ==
        std::vector<std::string>{"MODEL.PIXEL_SDT (MODEL.PIXEL_STD?)", "MODEL.RESNETS.DEPHT (MODEL.RESNETS.DEPTH?)"});
  const std::set<std::string> distinct(known.begin(), known.end());
  CHECK(distinct.size() == known.size());
}

TEST_CASE("_BASE_ is read first, from beside the file that names it") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  write_text(folder / "root.yaml", "MODEL: {RESNETS: {DEPTH: 101, NORM: BN}}\nINPUT: {FORMAT: RGB, MIN_SIZE_TEST: 10}");
  write_text(folder / "sub" / "middle.yaml", "_BASE_: ../root.yaml\nINPUT: {MIN_SIZE_TEST: 20}");
  write_text(folder / "leaf.yaml", "MODEL: {RESNETS: {NORM: SyncBN}}\n_BASE_: sub/middle.yaml");
  const auto config = read_config(folder / "leaf.yaml");
  CHECK(config.name == "leaf");
  const auto integer = [](const Config& from, const char* key) {
    return ConfigReader(from.root).integer(key, 0, 0, 1000);
  };
  CHECK(integer(config, "MODEL.RESNETS.DEPTH") == 101);
  CHECK(integer(config, "INPUT.MIN_SIZE_TEST") == 20);
  CHECK(ConfigReader(config.root).string("MODEL.RESNETS.NORM", "") == "SyncBN");
  CHECK(ConfigReader(config.root).string("INPUT.FORMAT", "") == "RGB");
  CHECK(ConfigReader(config.root).unread().size() == 4);

  write_text(folder / "list.yaml", "_BASE_: [root.yaml, sub/middle.yaml]\nINPUT: {MAX_SIZE_TEST: 30}");
  CHECK(integer(read_config(folder / "list.yaml"), "INPUT.MIN_SIZE_TEST") == 20);
  write_text(folder / "absolute.yaml", "_BASE_: " + (folder / "root.yaml").string());
  CHECK(integer(read_config(folder / "absolute.yaml"), "MODEL.RESNETS.DEPTH") == 101);

  write_text(folder / "clash.yaml", "_BASE_: root.yaml\nMODEL: {RESNETS: 5}");
  CHECK_THROWS_WITH(read_config(folder / "clash.yaml"),
                    Contains("MODEL.RESNETS") && Contains("expected a mapping") && Contains("found the integer 5"));
}

TEST_CASE("_BASE_ that leads nowhere") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    write_text(folder / "a.yaml", text);
    try {
      read_config(folder / "a.yaml");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK_THAT(message("_BASE_: missing.yaml"), Contains("missing.yaml, found nothing"));
  CHECK_THAT(message("_BASE_: a.yaml"), Contains("is its own base"));
  CHECK_THAT(message("_BASE_: ../" + folder.path().filename().string() + "/a.yaml"), Contains("is its own base"));
  CHECK_THAT(message("_BASE_: ."), Contains("something that is no file"));
  CHECK_THAT(message("_BASE_: 5"), Contains("_BASE_ (") && Contains("expected the path of a config file"));
  CHECK_THAT(message("_BASE_: https://example.org/a.yaml"), Contains("expected the path of a local file"));
  write_text(folder / "b.yaml", "_BASE_: a.yaml");
  CHECK_THAT(message("_BASE_: b.yaml"), Contains("is its own base"));

  for (int i = 0; i < 20; ++i)
    write_text(folder / ("chain" + std::to_string(i) + ".yaml"), "_BASE_: chain" + std::to_string(i + 1) + ".yaml");
  CHECK_THAT(message("_BASE_: chain0.yaml"), Contains("expected at most 16 configs in a chain"));

  // Each level names the next one four times: 4^8 files if nobody counted.
  for (int i = 0; i < 8; ++i) {
    const std::string next = "wide" + std::to_string(i + 1) + ".yaml";
    write_text(folder / ("wide" + std::to_string(i) + ".yaml"),
               "_BASE_: [" + next + ", " + next + ", " + next + ", " + next + "]");
  }
  write_text(folder / "wide8.yaml", "A: 1");
  CHECK_THAT(message("_BASE_: wide0.yaml"), Contains("64 in all, found more"));
}

}  // namespace
}  // namespace maskrt::weights
