// What inference reads of a FastInst config, with detectron2's and FastInst's defaults.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "weights_tools/backbones/backbone.h"
#include "weights_tools/config/config_reader.h"

namespace maskrt::weights {

/// MODEL.SEM_SEG_HEAD: the pixel decoder.
struct PixelDecoderConfig {
  std::string name =
      "FastInstEncoderV1";  ///< the authors' code default, which nothing implements: configs name another
  std::string norm = "GN";
  std::vector<std::string> in_features = {"p2", "p3", "p4", "p5"};
  int channels = 128;
};

/// MODEL.FASTINST: the transformer decoder.
struct QueryDecoderConfig {
  std::string name = "FastInstDecoderV4";  ///< as above
  int classes = 54, queries = 100, auxiliary_queries = 8, heads = 8, layers = 10;
  int width = 256, mask_width = 256, feed_forward_width = 1024;
  bool pre_norm = false;
};

/// MODEL.FASTINST.TEST and its like: what is found, and how.
struct FastInstTasks {
  bool instances = true, semantic = false, panoptic = false, resize_before_semantic = false;
  int detections = 100;
  double object_mask_threshold = 0.8, overlap_threshold = 0.8;
};

struct FastInstConfig {
  std::shared_ptr<const Backbone> backbone;
  std::string head = "SemSegFPNHead";
  PixelDecoderConfig pixel_decoder;
  QueryDecoderConfig decoder;
  FastInstTasks tasks;
  graph::Preprocessing input;
  std::vector<std::string> datasets;  ///< DATASETS.TRAIN
};

/// Reads and checks every key. Throws Error that names the key, its file and line, what was expected and what was
/// found, also for parts that cannot be built.
FastInstConfig read_fast_inst_config(ConfigReader& reader);

}  // namespace maskrt::weights
