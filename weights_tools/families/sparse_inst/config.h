// What inference reads of a SparseInst config, with detectron2's and SparseInst's defaults.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "weights_tools/backbones/backbone.h"
#include "weights_tools/config/config_reader.h"

namespace maskrt::weights {

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

struct SparseInstConfig {
  std::shared_ptr<const Backbone> backbone;
  EncoderConfig encoder;
  DecoderConfig decoder;
  graph::Preprocessing input;
  double score_threshold = 0.005, mask_threshold = 0.45;
  std::vector<std::string> datasets;  ///< DATASETS.TRAIN
};

/// Reads and checks every key. Throws Error that names the key, its file and line, what was expected and what was
/// found; says nothing about the encoders and decoders that can be built.
SparseInstConfig read_sparse_inst_config(ConfigReader& reader);

}  // namespace maskrt::weights
