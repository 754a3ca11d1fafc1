// What maskrt-convert does, without the command line: a checkpoint and a config in, a model file out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "weights_tools/config/config.h"

namespace maskrt::weights {

struct ConvertOptions {
  std::optional<std::filesystem::path> checkpoint;  ///< none: random weights
  std::string config;                               ///< a published config's name, or a file
  Overrides overrides;
  std::optional<std::filesystem::path> labels;  ///< none: the usual ones for the class count
  std::optional<std::filesystem::path> output;  ///< none: the checkpoint's or the config's name, here
  std::optional<std::string> name;              ///< the model's own name; none: the config's
  std::optional<std::string> prefix;            ///< of the network's names in the checkpoint; none: it is found
  bool all_problems = false;                    ///< an Error lists every tensor that is missing or misshapen
};

/// What was read and written, for the user to check.
struct ConvertReport {
  std::string source;                 ///< "PyTorch zip archive, 431 tensors"
  std::string names;                  ///< "took 'module.' off all names"; empty where they are the network's
  std::string model;                  ///< "SparseInst, ResNet-50, ..."
  std::string network;                ///< "5 classes, 40 masks, ..."
  std::string input;                  ///< "RGB, shortest edge 640, ..."
  std::string labels;                 ///< "COCO's 80"
  std::vector<std::string> left_out;  ///< sentences on what in the labels was not understood
  std::int64_t parameters = 0, tensors = 0, bytes = 0;
  std::filesystem::path output;
  std::vector<std::string> unused_tensors;    ///< of the checkpoint: no part of the network, or no numbers
  std::vector<std::string> unused_overrides;  ///< KEY VALUE pairs that only training reads
  std::vector<std::string> unused_keys;       ///< of the config: what only training reads
  std::vector<std::string> likely_mistakes;   ///< of the config: "MODEL.PIXEL_SDT (MODEL.PIXEL_STD?)"
};

/// Reads, builds and writes. Throws Error; what stood at the output's path is then still there, and nothing
/// half-written.
ConvertReport convert(const ConvertOptions& options);

}  // namespace maskrt::weights
