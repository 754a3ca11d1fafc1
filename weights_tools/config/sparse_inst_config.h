// What inference reads of a SparseInst config, with detectron2's and SparseInst's defaults.
#pragma once

#include <string>
#include <vector>

#include "config.h"

namespace maskrt::weights {

/// MODEL.RESNETS, for build_resnet_backbone.
struct ResNetConfig {
  int depth = 50;  ///< 18, 34, 50, 101 or 152
  std::vector<std::string> out_features = {"res4"};
  std::string norm = "FrozenBN";  ///< "" is none
  bool stride_in_1x1 = true;
  int groups = 1, width_per_group = 64;
  int stem_width = 64, res2_width = 256;
  int res5_dilation = 1;                                        ///< 1 or 2
  std::vector<bool> deformable = {false, false, false, false};  ///< res2 to res5
};

/// MODEL.SPARSE_INST.ENCODER
struct EncoderConfig {
  std::string name = "FPNPPMEncoder";  ///< the authors' code default, which nothing implements: configs name another
  std::vector<std::string> in_features = {"res3", "res4", "res5"};  ///< fine to coarse
  int channels = 256;
};

/// One branch of the decoder.
struct BranchConfig {
  int width = 256, convs = 4;
};

/// MODEL.SPARSE_INST.DECODER
struct DecoderConfig {
  std::string name = "BaseIAMDecoder";
  int masks = 100, classes = 80, kernel_width = 128, groups = 4;
  double scale_factor = 2;
  BranchConfig instance, mask;
};

/// INPUT and the pixel statistics, in the channel order that the network wants.
struct InputConfig {
  bool rgb = false;
  std::vector<double> mean = {103.53, 116.28, 123.675}, std = {1, 1, 1};
  int min_size = 800, max_size = 1333;
};

struct SparseInstConfig {
  std::string name;
  std::string architecture;  ///< MODEL.META_ARCHITECTURE; "GeneralizedRCNN" where nobody said otherwise
  std::string backbone = "build_resnet_backbone";
  ResNetConfig resnet;
  EncoderConfig encoder;
  DecoderConfig decoder;
  InputConfig input;
  double score_threshold = 0.005, mask_threshold = 0.45;
  std::vector<std::string> unread;  ///< keys that the config sets and inference does not read
};

/// Reads and checks every key. Throws Error that names the key, its file and line, what was expected and what was
/// found; says nothing about what the model builders can build.
SparseInstConfig read_sparse_inst_config(const Config& config);

}  // namespace maskrt::weights
