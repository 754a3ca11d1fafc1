#include "sparse_inst_config.h"

#include <algorithm>
#include <cmath>

#include "config_reader.h"
#include "graph/model_file.h"
#include "maskrt/types.hpp"

namespace maskrt::weights {
namespace {

// Far above any network that fits into memory; they keep products of sizes inside 64 bits.
constexpr int kWidest = 1 << 16, kLargestImage = 1 << 16, kMostConvs = 64;

int integer(ConfigReader& reader, const std::string& key, int fallback, int least, int most) {
  return static_cast<int>(reader.integer(key, fallback, least, most));
}

ResNetConfig read_resnet(ConfigReader& reader) {
  const std::string prefix = "MODEL.RESNETS.";
  ResNetConfig resnet;
  resnet.depth = integer(reader, prefix + "DEPTH", resnet.depth, 1, 1000);
  constexpr int kDepths[] = {18, 34, 50, 101, 152};
  if (std::find(std::begin(kDepths), std::end(kDepths), resnet.depth) == std::end(kDepths))
    throw Error(reader.where(prefix + "DEPTH") + ": expected 18, 34, 50, 101 or 152, found " +
                std::to_string(resnet.depth));
  resnet.out_features = reader.strings(prefix + "OUT_FEATURES", resnet.out_features);
  resnet.norm = reader.string(prefix + "NORM", resnet.norm);
  resnet.stride_in_1x1 = reader.boolean(prefix + "STRIDE_IN_1X1", resnet.stride_in_1x1);
  resnet.groups = integer(reader, prefix + "NUM_GROUPS", resnet.groups, 1, kWidest);
  resnet.width_per_group = integer(reader, prefix + "WIDTH_PER_GROUP", resnet.width_per_group, 1, kWidest);
  resnet.stem_width = integer(reader, prefix + "STEM_OUT_CHANNELS", resnet.stem_width, 1, kWidest);
  resnet.res2_width = integer(reader, prefix + "RES2_OUT_CHANNELS", resnet.res2_width, 1, kWidest);
  resnet.res5_dilation = integer(reader, prefix + "RES5_DILATION", resnet.res5_dilation, 1, 2);
  resnet.deformable = reader.booleans(prefix + "DEFORM_ON_PER_STAGE", resnet.deformable, 4);
  if (resnet.depth < 50) {
    // Basic blocks have neither, in detectron2 too.
    if (resnet.groups != 1)
      throw Error(reader.where(prefix + "NUM_GROUPS") + ": expected 1 for depth " + std::to_string(resnet.depth) +
                  ", found " + std::to_string(resnet.groups));
    if (resnet.res5_dilation != 1)
      throw Error(reader.where(prefix + "RES5_DILATION") + ": expected 1 for depth " + std::to_string(resnet.depth) +
                  ", found " + std::to_string(resnet.res5_dilation));
  }
  return resnet;
}

EncoderConfig read_encoder(ConfigReader& reader) {
  const std::string prefix = "MODEL.SPARSE_INST.ENCODER.";
  EncoderConfig encoder;
  encoder.name = reader.string(prefix + "NAME", encoder.name);
  encoder.in_features = reader.strings(prefix + "IN_FEATURES", encoder.in_features);
  if (encoder.in_features.size() != 3)
    throw Error(reader.where(prefix + "IN_FEATURES") + ": expected three features, fine to coarse, found " +
                std::to_string(encoder.in_features.size()));
  encoder.channels = integer(reader, prefix + "NUM_CHANNELS", encoder.channels, 4, kWidest);
  return encoder;
}

BranchConfig read_branch(ConfigReader& reader, const std::string& prefix) {
  BranchConfig branch;
  branch.width = integer(reader, prefix + "DIM", branch.width, 1, kWidest);
  branch.convs = integer(reader, prefix + "CONVS", branch.convs, 1, kMostConvs);
  return branch;
}

DecoderConfig read_decoder(ConfigReader& reader) {
  const std::string prefix = "MODEL.SPARSE_INST.DECODER.";
  DecoderConfig decoder;
  decoder.name = reader.string(prefix + "NAME", decoder.name);
  decoder.masks = integer(reader, prefix + "NUM_MASKS", decoder.masks, 1, kWidest);
  decoder.classes = integer(reader, prefix + "NUM_CLASSES", decoder.classes, 1, kWidest);
  decoder.kernel_width = integer(reader, prefix + "KERNEL_DIM", decoder.kernel_width, 1, kWidest);
  decoder.groups = integer(reader, prefix + "GROUPS", decoder.groups, 1, kWidest);
  decoder.scale_factor = reader.number(prefix + "SCALE_FACTOR", decoder.scale_factor, 0.125, 64);
  decoder.instance = read_branch(reader, prefix + "INST.");
  decoder.mask = read_branch(reader, prefix + "MASK.");
  return decoder;
}

InputConfig read_input(ConfigReader& reader) {
  InputConfig input;
  const auto format = reader.string("INPUT.FORMAT", "BGR");
  if (format != "RGB" && format != "BGR")
    throw Error(reader.where("INPUT.FORMAT") + ": expected RGB or BGR, found '" + format + "'");
  input.rgb = format == "RGB";
  input.mean = reader.numbers("MODEL.PIXEL_MEAN", input.mean, 3);
  input.std = reader.numbers("MODEL.PIXEL_STD", input.std, 3);
  for (const double mean : input.mean)
    if (std::abs(mean) > graph::kLargestMean)
      throw Error(reader.where("MODEL.PIXEL_MEAN") + ": expected numbers from -1000000 to 1000000, found " +
                  std::to_string(mean));
  for (const double deviation : input.std) {
    if (!(deviation > 0))
      throw Error(reader.where("MODEL.PIXEL_STD") + ": expected positive numbers, found " + std::to_string(deviation));
    if (deviation < graph::kLeastDeviation || deviation > graph::kLargestDeviation)
      throw Error(reader.where("MODEL.PIXEL_STD") + ": expected numbers from 0.000001 to 1000000, found " +
                  std::to_string(deviation));
  }
  input.min_size = integer(reader, "INPUT.MIN_SIZE_TEST", input.min_size, 0, kLargestImage);
  input.max_size = integer(reader, "INPUT.MAX_SIZE_TEST", input.max_size, 1, kLargestImage);
  return input;
}

}  // namespace

SparseInstConfig read_sparse_inst_config(const Config& config) {
  ConfigReader reader(config.root);
  SparseInstConfig out;
  out.name = config.name;
  out.architecture = reader.string("MODEL.META_ARCHITECTURE", "GeneralizedRCNN");
  out.backbone = reader.string("MODEL.BACKBONE.NAME", out.backbone);
  out.resnet = read_resnet(reader);
  out.encoder = read_encoder(reader);
  out.decoder = read_decoder(reader);
  out.input = read_input(reader);
  out.score_threshold = reader.number("MODEL.SPARSE_INST.CLS_THRESHOLD", out.score_threshold, 0, 1);
  out.mask_threshold = reader.number("MODEL.SPARSE_INST.MASK_THRESHOLD", out.mask_threshold, 0, 1);
  out.unread = reader.unread();
  return out;
}

}  // namespace maskrt::weights
