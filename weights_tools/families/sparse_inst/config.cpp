#include "config.h"

#include "maskrt/types.hpp"
#include "weights_tools/config/input_config.h"

namespace maskrt::weights {
namespace {

constexpr int kMostConvs = 64;

EncoderConfig read_encoder(ConfigReader& reader) {
  const std::string prefix = "MODEL.SPARSE_INST.ENCODER.";
  EncoderConfig encoder;
  encoder.name = reader.string(prefix + "NAME", encoder.name);
  encoder.in_features = reader.strings(prefix + "IN_FEATURES", encoder.in_features);
  if (encoder.in_features.size() != 3)
    throw Error(reader.where(prefix + "IN_FEATURES") + ": expected three features, fine to coarse, found " +
                std::to_string(encoder.in_features.size()));
  encoder.channels = reader.integer(prefix + "NUM_CHANNELS", encoder.channels, 4, kWidest);
  return encoder;
}

BranchConfig read_branch(ConfigReader& reader, const std::string& prefix) {
  BranchConfig branch;
  branch.width = reader.integer(prefix + "DIM", branch.width, 1, kWidest);
  branch.convs = reader.integer(prefix + "CONVS", branch.convs, 1, kMostConvs);
  return branch;
}

DecoderConfig read_decoder(ConfigReader& reader) {
  const std::string prefix = "MODEL.SPARSE_INST.DECODER.";
  DecoderConfig decoder;
  decoder.name = reader.string(prefix + "NAME", decoder.name);
  decoder.masks = reader.integer(prefix + "NUM_MASKS", decoder.masks, 1, kWidest);
  decoder.classes = reader.integer(prefix + "NUM_CLASSES", decoder.classes, 1, kWidest);
  decoder.kernel_width = reader.integer(prefix + "KERNEL_DIM", decoder.kernel_width, 1, kWidest);
  decoder.groups = reader.integer(prefix + "GROUPS", decoder.groups, 1, kWidest);
  decoder.scale_factor = reader.number(prefix + "SCALE_FACTOR", decoder.scale_factor, 0.125, 64);
  decoder.instance = read_branch(reader, prefix + "INST.");
  decoder.mask = read_branch(reader, prefix + "MASK.");
  return decoder;
}

}  // namespace

SparseInstConfig read_sparse_inst_config(ConfigReader& reader) {
  SparseInstConfig out;
  out.backbone = read_backbone(reader, "backbone.");
  out.encoder = read_encoder(reader);
  out.decoder = read_decoder(reader);
  out.input = read_input(reader);
  out.input.size_divisibility = 32;  // SparseInst's own, whatever the backbone says
  out.score_threshold = reader.number("MODEL.SPARSE_INST.CLS_THRESHOLD", out.score_threshold, 0, 1);
  out.mask_threshold = reader.number("MODEL.SPARSE_INST.MASK_THRESHOLD", out.mask_threshold, 0, 1);
  out.datasets = reader.suggested("DATASETS.TRAIN");
  return out;
}

}  // namespace maskrt::weights
