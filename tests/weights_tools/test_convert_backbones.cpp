// What maskrt-convert says of checkpoints whose backbone is not the config's.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "support/files.h"
#include "support/process.h"

namespace maskrt {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using testing::ProcessResult;
using testing::TemporaryFolder;

using Words = std::vector<std::string>;

// The fixture with its own config, and KEY VALUE pairs.
ProcessResult convert(const std::string& fixture, const Words& overrides, const std::filesystem::path& out) {
  const std::string from = MASKRT_TEST_DATA "/fixtures/" + fixture + "/";
  Words words = {MASKRT_CONVERT, from + "checkpoint.pth", "--config", from + "config.yaml", "-o", out.string(),
                 "--verbose"};
  words.insert(words.end(), overrides.begin(), overrides.end());
  return testing::run_process(words);
}

TEST_CASE("checkpoints with backbones of all kinds convert, and the report names them") {
  struct Case {
    const char *fixture, *model, *stem;
    std::size_t tensors;
  };
  for (const Case& one : {Case{"sparse_inst_r50vd_dcn_giam", "SparseInst, ResNet-50-D, deformable res4 and res5,",
                               "widths: stem 4,", 337},
                          Case{"sparse_inst_pvt_b1_giam", "SparseInst, PVTv2-B1,", "widths: stem 8,", 220}}) {
    INFO(one.fixture);
    const TemporaryFolder folder;
    const auto result = convert(one.fixture, {}, folder / "out.maskrt");
    INFO(result.err);
    REQUIRE(result.status == 0);
    CHECK_THAT(result.out, Contains(one.model) && Contains(one.stem));
    CHECK(graph::read_model(folder / "out.maskrt").storage->tensors.size() == one.tensors);
  }
}

TEST_CASE("a checkpoint with another backbone than the config's is refused with the key and the tensor") {
  struct Case {
    const char* fixture;
    Words overrides;
    const char* sentence;
  };
  const std::string plain = "sparse_inst_r50_giam", deformable = "sparse_inst_r50vd_dcn_giam",
                    pvt = "sparse_inst_pvt_b1_giam";
  const Case cases[] = {
      // Deformable or not, and how.
      {plain.c_str(),
       {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, False, True]"},
       "tensor backbone.res5.0.conv2_offset.weight: expected shape [18 (MODEL.RESNETS.DEFORM_ON_PER_STAGE, "
       "DEFORM_MODULATED False, DEFORM_NUM_GROUPS 1), 64, 3, 3], found no such tensor"},
      {plain.c_str(),
       {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[True, False, False, False]", "MODEL.RESNETS.DEFORM_MODULATED", "True",
        "MODEL.RESNETS.DEFORM_NUM_GROUPS", "2"},
       "tensor backbone.res2.0.conv2_offset.weight: expected shape [54 (MODEL.RESNETS.DEFORM_ON_PER_STAGE, "
       "DEFORM_MODULATED True, DEFORM_NUM_GROUPS 2), 8, 3, 3], found no such tensor"},
      {plain.c_str(),
       {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[True, False, False, False]", "MODEL.RESNETS.DEFORM_NUM_GROUPS", "3"},
       "layer backbone.res2.0.conv2: expected channels that its groups of offsets divide "
       "(MODEL.RESNETS.DEFORM_ON_PER_STAGE, DEFORM_MODULATED False, DEFORM_NUM_GROUPS 3), found 8"},
      {plain.c_str(),
       {"MODEL.RESNETS.DEPTH", "18", "MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[True, False, False, False]"},
       "MODEL.RESNETS.DEFORM_ON_PER_STAGE (the command line): expected no deformable stage for depth 18, found res2"},
      {deformable.c_str(),
       {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, True, False]"},
       "tensor backbone.layer4.0.conv2_offset.weight: expected no such tensor, found one, which makes conv2 "
       "deformable, "
       "but MODEL.RESNETS.DEFORM_ON_PER_STAGE says it is not"},
      {deformable.c_str(),
       {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, True, True, True]"},
       "tensor backbone.layer2.0.conv2_offset.weight: expected shape [18 (MODEL.RESNETS.DEFORM_ON_PER_STAGE), 16, 3, "
       "3], found no such tensor"},
      // ResNet-D.
      {deformable.c_str(),
       {"MODEL.RESNETS.DEPTH", "101"},
       "tensor backbone.layer3.6.conv2_offset.weight: expected shape [18 (MODEL.RESNETS.DEFORM_ON_PER_STAGE), any, 3, "
       "3], found no such tensor"},
      {deformable.c_str(),
       {"MODEL.RESNETS.DEPTH", "34"},
       "MODEL.RESNETS.DEPTH (the command line): expected 50 or 101 for ResNet-D, found 34"},
      {deformable.c_str(),
       {"MODEL.BACKBONE.NAME", "build_resnet_backbone"},
       "tensor backbone.stem.conv1.weight: expected shape [any, 3, 7, 7], found no such tensor"},
      {deformable.c_str(),
       {"MODEL.BACKBONE.NAME", "build_vgg_backbone"},
       "MODEL.BACKBONE.NAME (the command line): expected build_resnet_backbone, build_resnet_vd_backbone, "
       "build_cspnet_backbone or build_pyramid_vision_transformer, found 'build_vgg_backbone'"},
      // CSPNet.
      {deformable.c_str(),
       {"MODEL.BACKBONE.NAME", "build_cspnet_backbone", "MODEL.CSPNET.NAME", "darknet19"},
       "MODEL.CSPNET.NAME (the command line): expected cspresnet50, cspresnet50d, cspresnet50w, cspresnext50, "
       "cspdarknet53 or darknet53, found 'darknet19'"},
      {deformable.c_str(),
       {"MODEL.BACKBONE.NAME", "build_cspnet_backbone", "MODEL.CSPNET.NAME", "cspresnet50"},
       "MODEL.CSPNET.OUT_FEATURES (the defaults): expected csp0, csp1, csp2 or csp3 of cspresnet50, found 'csp4'"},
      {deformable.c_str(),
       {"MODEL.BACKBONE.NAME", "build_cspnet_backbone"},
       "MODEL.SPARSE_INST.ENCODER.IN_FEATURES: expected features that the backbone gives (csp1, csp2, csp3, csp4), "
       "found 'res5'"},
      // Pyramid Vision Transformer.
      {pvt.c_str(),
       {"MODEL.PVT.NAME", "b7"},
       "MODEL.PVT.NAME (the command line): expected b0, b1, b2, b3, b4 or b5, found 'b7'"},
      {pvt.c_str(),
       {"MODEL.PVT.OUT_FEATURES", "['p2', 'p3', 'p6']"},
       "MODEL.PVT.OUT_FEATURES (the command line): expected p1, p2, p3 or p4, found 'p6'"},
      {pvt.c_str(),
       {"MODEL.PVT.NAME", "b2"},
       "tensor backbone.block1.2.norm1.weight: expected shape [8], found no such tensor"},
      {pvt.c_str(),
       {"MODEL.PVT.LINEAR", "True"},
       "tensor backbone.block1.0.attn.sr.weight: expected shape [8, 8, 1 (MODEL.PVT.LINEAR is True), 1], found [8, 8, "
       "8, 8]"},
      {pvt.c_str(),
       {"MODEL.PVT.LINEAR", "True"},
       "tensor backbone.block4.0.attn.norm.weight: expected shape [64 (MODEL.PVT.LINEAR is True)], found no such "
       "tensor"},
  };
  for (const Case& one : cases) {
    INFO(one.fixture << ", " << one.overrides[0] << " " << one.overrides[1]);
    const TemporaryFolder folder;
    const auto result = convert(one.fixture, one.overrides, folder / "out.maskrt");
    CHECK(result.status == 1);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, StartsWith("maskrt-convert: ") && Contains(one.sentence));
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

}  // namespace
}  // namespace maskrt
