// What is read of SparseInst's configs: defaults, overrides, and values that are refused.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "maskrt/types.hpp"
#include "weights_tools/config/yaml.h"
#include "weights_tools/families/families.h"
#include "weights_tools/families/sparse_inst/config.h"
#include "weights_tools/families/sparse_inst/published.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

SparseInstConfig read(const std::string& yaml, const Overrides& overrides = {}) {
  Config config{"test", parse_yaml(yaml, "test.yaml")};
  apply_overrides(config, overrides);
  ConfigReader reader(config.root);
  return read_sparse_inst_config(reader);
}

TEST_CASE("detectron2's and SparseInst's defaults") {
  const auto config = read("VERSION: 2");
  CHECK(config.backbone->summary() == "ResNet-50");
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
  CHECK(
      std::equal(std::begin(config.input.mean), std::end(config.input.mean), std::begin({103.53f, 116.28f, 123.675f})));
  CHECK(std::all_of(std::begin(config.input.std), std::end(config.input.std), [](float std) { return std == 1; }));
  CHECK(config.input.min_size == 800);
  CHECK(config.input.max_size == 1333);
  CHECK(config.input.size_divisibility == 32);
  CHECK(config.score_threshold == 0.005);
  CHECK(config.mask_threshold == 0.45);
}

TEST_CASE("overrides replace what the file says and may be literals") {
  const auto config =
      read("MODEL: {PIXEL_STD: [1, 1, 1], RESNETS: {NORM: BN}}", {{"MODEL.PIXEL_STD", "(58.395, 57.12, 57.375)"},
                                                                  {"MODEL.RESNETS.NORM", "None"},
                                                                  {"MODEL.RESNETS.STRIDE_IN_1X1", "False"},
                                                                  {"MODEL.SPARSE_INST.DECODER.SCALE_FACTOR", "4"},
                                                                  {"MODEL.RESNETS.DEPTH", "101"},
                                                                  {"INPUT.FORMAT", "RGB"},
                                                                  {"SOLVER.BASE_LR", "5e-5"}});
  CHECK(config.input.std[0] == 58.395f);
  CHECK(config.input.std[2] == 57.375f);
  CHECK(config.backbone->summary() == "ResNet-101");
  CHECK(config.decoder.scale_factor == 4.0);
  CHECK(config.input.rgb);
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

const std::map<std::string, std::string> kBackbones = {
    {"sparse_inst_cspdarknet53_giam", "CSPDarknet-53"},
    {"sparse_inst_darknet53_giam", "Darknet-53"},
    {"sparse_inst_pvt_b1_giam", "PVTv2-B1"},
    {"sparse_inst_pvt_b2_li_giam", "PVTv2-B2-Li"},
    {"sparse_inst_r101_dcn_giam", "ResNet-101, deformable res4 and res5"},
    {"sparse_inst_r101_giam", "ResNet-101"},
    {"sparse_inst_r50_base", "ResNet-50"},
    {"sparse_inst_r50_dcn_giam_aug", "ResNet-50, deformable res4 and res5"},
    {"sparse_inst_r50_giam", "ResNet-50"},
    {"sparse_inst_r50_giam_aug", "ResNet-50"},
    {"sparse_inst_r50_giam_fp16", "ResNet-50"},
    {"sparse_inst_r50_giam_soft", "ResNet-50"},
    {"sparse_inst_r50vd_base", "ResNet-50-D"},
    {"sparse_inst_r50vd_dcn_giam", "ResNet-50-D, deformable res4 and res5"},
    {"sparse_inst_r50vd_dcn_giam_aug", "ResNet-50-D, deformable res4 and res5"},
    {"sparse_inst_r50vd_giam", "ResNet-50-D"},
    {"sparse_inst_r50vd_giam_aug", "ResNet-50-D"},
};

TEST_CASE("what SparseInst's authors published") {
  CHECK(published_sparse_inst().size() == 17);
  for (const PublishedConfig& published : published_sparse_inst()) {
    const std::string name(published.name);
    INFO(name);
    const Config config = published_config(name);
    ConfigReader reader(config.root);
    const SparseInstConfig read = read_sparse_inst_config(reader);
    CHECK(read.backbone->summary() == kBackbones.at(name));
    CHECK(read.encoder.name == "InstanceContextEncoder");
    CHECK(read.input.rgb);
    CHECK(read.input.min_size == 640);
    CHECK(read.input.max_size == 853);
    CHECK(read.input.mean[0] == 123.675f);
    CHECK(read.input.std[2] == 57.375f);
    CHECK(read.decoder.name == (name.find("base") != std::string::npos         ? "BaseIAMDecoder"
                                : name.find("soft") != std::string::npos       ? "GroupIAMSoftDecoder"
                                : name.find("cspdarknet") != std::string::npos ? "GroupIAMSoftDecoder"
                                                                               : "GroupIAMDecoder"));
    // Of ResNet; ResNet-D, whose stride is always in the 3x3 convolution, does not read the key.
    if (read.backbone->first_layer() == "backbone.stem.conv1")
      CHECK_FALSE(reader.boolean("MODEL.RESNETS.STRIDE_IN_1X1", true));
  }
}

}  // namespace
}  // namespace maskrt::weights
