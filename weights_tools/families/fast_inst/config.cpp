#include "config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "maskrt/types.hpp"
#include "weights_tools/config/input_config.h"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

constexpr int kMostLayers = 64, kMostDivisibility = 4096;

const std::string kHead = "MODEL.SEM_SEG_HEAD.", kFastInst = "MODEL.FASTINST.";

/// Reads a name and throws Error unless it is one of those that can be built.
template <std::size_t count>
std::string read_name(ConfigReader& reader, const std::string& key, const std::string& fallback,
                      const std::array<const char*, count>& known) {
  const std::string found = reader.string(key, fallback);
  if (std::find(known.begin(), known.end(), found) == known.end())
    throw Error(reader.where(key) + ": expected " + joined({known.begin(), known.end()}, "or") + ", found '" + found +
                "'");
  return found;
}

PixelDecoderConfig read_pixel_decoder(ConfigReader& reader) {
  constexpr std::array kDecoders = {"PyramidPoolingModuleFPN", "BaseFPN"};
  // BN and those like it are one norm once a network is trained; "" is none.
  constexpr std::array kNorms = {"GN", "BN", "SyncBN", "FrozenBN", "nnSyncBN", "naiveSyncBN", "naiveSyncBN_N", ""};
  PixelDecoderConfig decoder;
  decoder.name = read_name(reader, kHead + "PIXEL_DECODER_NAME", decoder.name, kDecoders);
  decoder.norm = read_name(reader, kHead + "NORM", decoder.norm, kNorms);
  decoder.in_features = reader.strings(kHead + "IN_FEATURES", decoder.in_features);
  if (decoder.in_features.size() < 3)
    throw Error(reader.where(kHead + "IN_FEATURES") + ": expected three features or more, found " +
                std::to_string(decoder.in_features.size()));
  decoder.channels = reader.integer(kHead + "CONVS_DIM", decoder.channels, 4, kWidest);
  return decoder;
}

QueryDecoderConfig read_query_decoder(ConfigReader& reader) {
  constexpr std::array kDecoders = {"FastInstDecoder"};
  QueryDecoderConfig decoder;
  decoder.name = read_name(reader, kFastInst + "TRANSFORMER_DECODER_NAME", decoder.name, kDecoders);
  decoder.classes = reader.integer(kHead + "NUM_CLASSES", decoder.classes, 1, kWidest);
  decoder.mask_width = reader.integer(kHead + "MASK_DIM", decoder.mask_width, 1, kWidest);
  decoder.width = reader.integer(kFastInst + "HIDDEN_DIM", decoder.width, 1, kWidest);
  const int most_queries = static_cast<int>(graph::limits::kSelected);
  decoder.queries = reader.integer(kFastInst + "NUM_OBJECT_QUERIES", decoder.queries, 1, most_queries);
  decoder.auxiliary_queries = reader.integer(kFastInst + "NUM_AUX_QUERIES", decoder.auxiliary_queries, 0, kWidest);
  decoder.heads = reader.integer(kFastInst + "NHEADS", decoder.heads, 1, kWidest);
  decoder.feed_forward_width = reader.integer(kFastInst + "DIM_FEEDFORWARD", decoder.feed_forward_width, 1, kWidest);
  decoder.layers = reader.integer(kFastInst + "DEC_LAYERS", decoder.layers, 0, kMostLayers);
  decoder.pre_norm = reader.boolean(kFastInst + "PRE_NORM", decoder.pre_norm);
  return decoder;
}

FastInstTasks read_tasks(ConfigReader& reader) {
  const std::string prefix = kFastInst + "TEST.";
  FastInstTasks tasks;
  tasks.instances = reader.boolean(prefix + "INSTANCE_ON", tasks.instances);
  tasks.semantic = reader.boolean(prefix + "SEMANTIC_ON", tasks.semantic);
  tasks.panoptic = reader.boolean(prefix + "PANOPTIC_ON", tasks.panoptic);
  if (!tasks.instances && !tasks.semantic && !tasks.panoptic)
    throw Error(reader.where(prefix + "INSTANCE_ON") +
                ": expected one of INSTANCE_ON, SEMANTIC_ON and PANOPTIC_ON, found none of them");
  tasks.object_mask_threshold = reader.number(prefix + "OBJECT_MASK_THRESHOLD", tasks.object_mask_threshold, 0, 1);
  tasks.overlap_threshold = reader.number(prefix + "OVERLAP_THRESHOLD", tasks.overlap_threshold, 0, 1);
  // Instances and segments are at the image's size in any case, and the authors' code then sums classes there, too.
  tasks.resize_before_semantic =
      reader.boolean(prefix + "SEM_SEG_POSTPROCESSING_BEFORE_INFERENCE", false) || tasks.instances || tasks.panoptic;
  tasks.detections = reader.integer("TEST.DETECTIONS_PER_IMAGE", tasks.detections, 1, 1 << 20);
  return tasks;
}

}  // namespace

FastInstConfig read_fast_inst_config(ConfigReader& reader) {
  constexpr std::array kHeads = {"FastInstHead"};
  FastInstConfig out;
  out.head = read_name(reader, kHead + "NAME", out.head, kHeads);
  out.backbone = read_backbone(reader, "backbone.");
  out.pixel_decoder = read_pixel_decoder(reader);
  out.decoder = read_query_decoder(reader);
  if (out.decoder.width != out.pixel_decoder.channels)
    throw Error(reader.where(kFastInst + "HIDDEN_DIM") + ": expected the width of the pixel decoder, " + kHead +
                "CONVS_DIM " + std::to_string(out.pixel_decoder.channels) + ", found " +
                std::to_string(out.decoder.width));
  out.tasks = read_tasks(reader);
  out.input = read_input(reader);
  // -1: the backbone's, which is none for those that there are.
  out.input.size_divisibility = std::max(reader.integer(kFastInst + "SIZE_DIVISIBILITY", -1, -1, kMostDivisibility), 0);
  out.datasets = reader.suggested("DATASETS.TRAIN");
  return out;
}

}  // namespace maskrt::weights
