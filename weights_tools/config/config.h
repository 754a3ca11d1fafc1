// A detectron2 config: what the files, the published name and the command line say, merged.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config_value.h"

namespace maskrt::weights {

/// `KEY VALUE` pairs as the command line gives them ("MODEL.SPARSE_INST.DECODER.NUM_CLASSES", "5").
using Overrides = std::vector<std::pair<std::string, std::string>>;

/// A config before its keys are interpreted.
struct Config {
  std::string name;  ///< "sparse_inst_r50_giam": a published name, or the file's without its extension
  ConfigValue root;  ///< a mapping
  /// Those that were read, with every `_BASE_`; none of a published name.
  std::vector<std::filesystem::path> files = {};
  std::vector<std::string> overridden = {};  ///< the keys that apply_overrides set
};

/// Reads a YAML file and, before it, its `_BASE_` (one path or a list, each relative to the file that names it).
/// Throws Error that names the file for what cannot be read, for a circle of `_BASE_` and for a chain of more than 16.
Config read_config(const std::filesystem::path& path);

/// Replaces values. A value reads as a Python literal where it is one, else it is a string. Throws Error for an empty
/// key and for a key below one that holds no mapping. Keys that nothing reads are found when the network is read.
void apply_overrides(Config& config, const Overrides& overrides);

/// Sets one dotted key, making the mappings on its way.
void set_dotted(ConfigValue& root, std::string_view key, ConfigValue value);

}  // namespace maskrt::weights
