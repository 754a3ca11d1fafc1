// detectron2 configs: bases, defaults, literals, overrides and the published names.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "maskrt/types.hpp"
#include "support/files.h"
#include "weights_tools/config/config.h"
#include "weights_tools/config/known_keys.h"
#include "weights_tools/config/python_literal.h"
#include "weights_tools/config/sparse_inst_config.h"
#include "weights_tools/config/yaml.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;
using testing::TemporaryFolder;
using testing::write_text;

SparseInstConfig read(const std::string& yaml, const Overrides& overrides = {}) {
  Config config{"test", parse_yaml(yaml, "test.yaml")};
  apply_overrides(config, overrides);
  return read_sparse_inst_config(config);
}

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

TEST_CASE("detectron2's and SparseInst's defaults") {
  const auto config = read("VERSION: 2");
  CHECK(config.architecture == "GeneralizedRCNN");
  CHECK(config.backbone == "build_resnet_backbone");
  CHECK(config.resnet.depth == 50);
  CHECK(config.resnet.out_features == std::vector<std::string>{"res4"});
  CHECK(config.resnet.norm == "FrozenBN");
  CHECK(config.resnet.stride_in_1x1);
  CHECK(config.resnet.groups == 1);
  CHECK(config.resnet.width_per_group == 64);
  CHECK(config.resnet.stem_width == 64);
  CHECK(config.resnet.res2_width == 256);
  CHECK(config.resnet.res5_dilation == 1);
  CHECK(config.resnet.deformable == std::vector<bool>(4, false));
  CHECK(config.encoder.in_features == std::vector<std::string>{"res3", "res4", "res5"});
  CHECK(config.encoder.channels == 256);
  CHECK(config.decoder.name == "BaseIAMDecoder");
  CHECK(config.decoder.masks == 100);
  CHECK(config.decoder.classes == 80);
  CHECK(config.decoder.kernel_width == 128);
  CHECK(config.decoder.groups == 4);
  CHECK(config.decoder.scale_factor == 2.0);
  CHECK(config.decoder.instance.width == 256);
  CHECK(config.decoder.instance.convs == 4);
  CHECK(config.decoder.mask.width == 256);
  CHECK(config.decoder.mask.convs == 4);
  CHECK_FALSE(config.input.rgb);
  CHECK(config.input.mean == std::vector<double>{103.53, 116.28, 123.675});
  CHECK(config.input.std == std::vector<double>{1, 1, 1});
  CHECK(config.input.min_size == 800);
  CHECK(config.input.max_size == 1333);
  CHECK(config.score_threshold == 0.005);
  CHECK(config.mask_threshold == 0.45);
  CHECK(config.unread == std::vector<std::string>{"VERSION"});
}

TEST_CASE("overrides replace what the file says and may be literals") {
  const auto config =
      read("MODEL: {PIXEL_STD: [1, 1, 1], RESNETS: {NORM: BN}}", {{"MODEL.PIXEL_STD", "(58.395, 57.12, 57.375)"},
                                                                  {"MODEL.RESNETS.NORM", "None"},
                                                                  {"MODEL.RESNETS.STRIDE_IN_1X1", "False"},
                                                                  {"MODEL.SPARSE_INST.DECODER.SCALE_FACTOR", "4"},
                                                                  {"MODEL.RESNETS.OUT_FEATURES", "['res2', 'res3']"},
                                                                  {"INPUT.FORMAT", "RGB"},
                                                                  {"SOLVER.BASE_LR", "5e-5"}});
  CHECK(config.input.std == std::vector<double>{58.395, 57.12, 57.375});
  CHECK(config.resnet.norm.empty());
  CHECK_FALSE(config.resnet.stride_in_1x1);
  CHECK(config.decoder.scale_factor == 4.0);
  CHECK(config.resnet.out_features == std::vector<std::string>{"res2", "res3"});
  CHECK(config.input.rgb);
  CHECK(config.unread == std::vector<std::string>{"SOLVER.BASE_LR"});
  CHECK_THROWS_WITH(read("INPUT: 5", {{"INPUT.FORMAT", "RGB"}}),
                    "INPUT.FORMAT (the command line): expected a mapping at INPUT, found the integer 5");
  CHECK_THROWS_WITH(read("A: 1", {{"MODEL.", "1"}}), Contains("expected a config key"));
}

TEST_CASE("a key that nobody knows is an error with the nearest one") {
  const auto refused = [](const std::string& key, const std::string& nearest) {
    CAPTURE(key);
    CHECK_THROWS_WITH(read("MINE: {DEPTH_HEAD: {WIDTH: 3}}", {{key, "1"}}),
                      key + " (the command line): expected a key of the config, found none such" +
                          (nearest.empty() ? "" : "; the nearest is " + nearest));
  };
  refused("MODEL.PIXEL_SDT", "MODEL.PIXEL_STD");
  refused("MODEL.RESNET.DEPTH", "MODEL.RESNETS.DEPTH");
  refused("MODEL.SPARSE_INST.DECODER.NUM_CLASS", "MODEL.SPARSE_INST.DECODER.NUM_CLASSES");
  refused("model.pixel_std", "MODEL.PIXEL_STD");
  refused("CLS_THRESHOLD", "MODEL.SPARSE_INST.CLS_THRESHOLD");
  refused("SPARSE_INST.CLS_THRESHOLD", "MODEL.SPARSE_INST.CLS_THRESHOLD");
  refused("SOLVER.BASE_LRR", "SOLVER.BASE_LR");
  refused("MINE.DEPTH_HEAD.WIDHT", "MINE.DEPTH_HEAD.WIDTH");  // of the file itself
  refused("QUITE.ANOTHER.THING", "");
  // What detectron2 and the file have changes nothing, or what it says.
  const Overrides known = {{"SOLVER.CLIP_GRADIENTS.ENABLED", "True"},
                           {"VERSION", "2"},
                           {"DATASETS.TEST", "('x',)"},
                           {"MODEL.FASTINST.TEST.INSTANCE_ON", "True"},
                           {"MINE.DEPTH_HEAD.WIDTH", "4"},
                           {"MODEL.RESNETS.DEPTH", "101"},
                           {"MODEL.SPARSE_INST.LOSS", "{'NAME': 'x'}"}};
  CHECK(read("MINE: {DEPTH_HEAD: {WIDTH: 3}}", known).resnet.depth == 101);
}

TEST_CASE("keys of a file that are likely mistyped are told from a project's own") {
  CHECK(likely_mistakes({"MODEL.PIXEL_SDT", "MODEL.MY_HEAD.WIDTH", "SOLVER.BASE_LR", "MODEL.SPARSE_INST.CLS_TRESHOLD",
                         "COMMENT"}) ==
        std::vector<std::string>{"MODEL.PIXEL_SDT (MODEL.PIXEL_STD?)",
                                 "MODEL.SPARSE_INST.CLS_TRESHOLD (MODEL.SPARSE_INST.CLS_THRESHOLD?)"});
  const std::set<std::string> distinct(known_keys().begin(), known_keys().end());
  CHECK(distinct.size() == known_keys().size());
}

TEST_CASE("pixel statistics that no model file can hold are refused") {
  CHECK_THROWS_WITH(read("MODEL: {PIXEL_STD: [1, 1, 1.0e-7]}"),
                    Contains("MODEL.PIXEL_STD (test.yaml, line 1): expected numbers from 0.000001 to 1000000"));
  CHECK_THROWS_WITH(read("MODEL: {PIXEL_STD: [1, 1, 2.0e+6]}"), Contains("MODEL.PIXEL_STD"));
  CHECK_THROWS_WITH(read("MODEL: {PIXEL_MEAN: [1, 1, -2.0e+6]}"),
                    Contains("MODEL.PIXEL_MEAN (test.yaml, line 1): expected numbers from -1000000 to 1000000"));
}

TEST_CASE("a wrong value is named with its key, place, what was expected and what was found") {
  const auto check = [](const std::string& yaml, const std::string& message) {
    CHECK_THROWS_WITH(read(yaml), message);
  };
  check("A: 1\nMODEL:\n  SPARSE_INST:\n    DECODER:\n      NUM_CLASSES: eighty\n",
        "MODEL.SPARSE_INST.DECODER.NUM_CLASSES (test.yaml, line 5): expected an integer from 1 to 65536, found the "
        "string 'eighty'");
  check("MODEL: {SPARSE_INST: {DECODER: {NUM_MASKS: 0}}}",
        "MODEL.SPARSE_INST.DECODER.NUM_MASKS (test.yaml, line 1): expected an integer from 1 to 65536, found the "
        "integer 0");
  check("MODEL: {SPARSE_INST: {DECODER: {NUM_MASKS: 4.0}}}",
        "MODEL.SPARSE_INST.DECODER.NUM_MASKS (test.yaml, line 1): expected an integer from 1 to 65536, found the "
        "number 4");
  check("MODEL: {SPARSE_INST: {DECODER: {NUM_MASKS: yes}}}",
        "MODEL.SPARSE_INST.DECODER.NUM_MASKS (test.yaml, line 1): expected an integer from 1 to 65536, found True");
  check("MODEL: {SPARSE_INST: {DECODER: 3}}",
        "MODEL.SPARSE_INST.DECODER (test.yaml, line 1): expected a mapping, found the integer 3");
  check("MODEL: {RESNETS: {DEPTH: 51}}",
        "MODEL.RESNETS.DEPTH (test.yaml, line 1): expected 18, 34, 50, 101 or 152, found 51");
  check("MODEL: {RESNETS: {STRIDE_IN_1X1: 1}}",
        "MODEL.RESNETS.STRIDE_IN_1X1 (test.yaml, line 1): expected True or False, found the integer 1");
  check("MODEL: {RESNETS: {DEFORM_ON_PER_STAGE: [True]}}",
        "MODEL.RESNETS.DEFORM_ON_PER_STAGE (test.yaml, line 1): expected a list of 4 times True or False, found a list "
        "of 1");
  check("MODEL: {RESNETS: {DEPTH: 18, NUM_GROUPS: 2}}",
        "MODEL.RESNETS.NUM_GROUPS (test.yaml, line 1): expected 1 for depth 18, found 2");
  check("MODEL: {RESNETS: {DEPTH: 34, RES5_DILATION: 2}}",
        "MODEL.RESNETS.RES5_DILATION (test.yaml, line 1): expected 1 for depth 34, found 2");
  check("MODEL: {RESNETS: {OUT_FEATURES: [1]}}",
        "MODEL.RESNETS.OUT_FEATURES (test.yaml, line 1): expected strings in the list, found the integer 1");
  check("MODEL: {PIXEL_MEAN: [1, 2]}",
        "MODEL.PIXEL_MEAN (test.yaml, line 1): expected a list of 3 numbers, found a list of 2");
  check("MODEL: {PIXEL_STD: [1, 0, 1]}",
        "MODEL.PIXEL_STD (test.yaml, line 1): expected positive numbers, found 0.000000");
  check("INPUT: {FORMAT: HSV}", "INPUT.FORMAT (test.yaml, line 1): expected RGB or BGR, found 'HSV'");
  check("MODEL: {SPARSE_INST: {MASK_THRESHOLD: .inf}}",
        "MODEL.SPARSE_INST.MASK_THRESHOLD (test.yaml, line 1): expected a number from 0 to 1, found the string '.inf'");
  check("MODEL: {SPARSE_INST: {ENCODER: {IN_FEATURES: [res4]}}}",
        "MODEL.SPARSE_INST.ENCODER.IN_FEATURES (test.yaml, line 1): expected three features, fine to coarse, found 1");
}

TEST_CASE("_BASE_ is read first, from beside the file that names it") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  write_text(folder / "root.yaml", "MODEL: {RESNETS: {DEPTH: 101, NORM: BN}}\nINPUT: {FORMAT: RGB, MIN_SIZE_TEST: 10}");
  write_text(folder / "sub" / "middle.yaml", "_BASE_: ../root.yaml\nINPUT: {MIN_SIZE_TEST: 20}");
  write_text(folder / "leaf.yaml", "MODEL: {RESNETS: {NORM: SyncBN}}\n_BASE_: sub/middle.yaml");
  const auto config = read_config(folder / "leaf.yaml");
  CHECK(config.name == "leaf");
  const auto parsed = read_sparse_inst_config(config);
  CHECK(parsed.resnet.depth == 101);
  CHECK(parsed.resnet.norm == "SyncBN");
  CHECK(parsed.input.rgb);
  CHECK(parsed.input.min_size == 20);
  CHECK(parsed.unread.empty());

  write_text(folder / "list.yaml", "_BASE_: [root.yaml, sub/middle.yaml]\nINPUT: {MAX_SIZE_TEST: 30}");
  CHECK(read_sparse_inst_config(read_config(folder / "list.yaml")).input.min_size == 20);
  write_text(folder / "absolute.yaml", "_BASE_: " + (folder / "root.yaml").string());
  CHECK(read_sparse_inst_config(read_config(folder / "absolute.yaml")).resnet.depth == 101);

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

TEST_CASE("published configs are known by name") {
  const auto names = published_names();
  CHECK(names.size() == 17);
  CHECK(std::is_sorted(names.begin(), names.end()));
  for (const auto& name : names) {
    INFO(name);
    const auto config = read_sparse_inst_config(published_config(name));
    CHECK(config.name == name);
    CHECK(config.architecture == "SparseInst");
    CHECK(config.encoder.name == "InstanceContextEncoder");
    CHECK(config.input.rgb);
    CHECK(config.input.min_size == 640);
    CHECK(config.input.max_size == 853);
    CHECK(config.input.mean[0] == 123.675);
    CHECK(config.input.std[2] == 57.375);
    CHECK_FALSE(config.resnet.stride_in_1x1);
    CHECK(config.resnet.depth == (name.find("r101") != std::string::npos ? 101 : 50));
    CHECK(config.resnet.deformable[3] == (name.find("dcn") != std::string::npos));
    CHECK(config.decoder.name == (name.find("base") != std::string::npos         ? "BaseIAMDecoder"
                                  : name.find("soft") != std::string::npos       ? "GroupIAMSoftDecoder"
                                  : name.find("cspdarknet") != std::string::npos ? "GroupIAMSoftDecoder"
                                                                                 : "GroupIAMDecoder"));
  }
  CHECK(find_config("sparse_inst_r50_giam").name == "sparse_inst_r50_giam");
  CHECK(find_config("sparse_inst_r50_giam.yaml").name == "sparse_inst_r50_giam");
  CHECK_THROWS_WITH(find_config("sparse_inst_r51"),
                    Contains("sparse_inst_r50_giam") && Contains("found 'sparse_inst_r51'"));
  CHECK_THROWS_WITH(find_config("./no/such.yaml"), Contains("no/such.yaml, found nothing"));
}

}  // namespace
}  // namespace maskrt::weights
