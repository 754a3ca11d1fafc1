// All model families: from a config's name or file to the network that its family reads in it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "family.h"
#include "weights_tools/config/config.h"

namespace maskrt::weights {

/// All families, in the order of families/list.h.
const std::vector<Family>& all_families();

/// The family that recognises a config. Throws Error that names those that there are.
const Family& find_family(ConfigReader& config);

/// All names that published_config knows, sorted.
std::vector<std::string> published_names();

/// A published config. Throws Error that lists the names.
Config published_config(std::string_view name);

/// What `--config` takes: a published name (".yaml" may follow), or a file.
Config find_config(const std::string& name_or_file);

/// A config, read by its family.
struct NetworkConfig {
  std::string name;  ///< the config's
  const Family* family = nullptr;
  std::shared_ptr<const Network> network;
  /// Keys that inference does not read, in the config's order: of its files, and those of the command line.
  std::vector<std::string> unread_keys, unread_overrides;
  /// Of the first, those that look mistyped: "MODEL.PIXEL_SDT (MODEL.PIXEL_STD?)".
  std::vector<std::string> likely_mistakes;
};

/// Throws Error for a config of no family, for what its family refuses, and for an override that neither inference nor
/// training reads, with the nearest key that one of them does.
NetworkConfig read_network(const Config& config);

}  // namespace maskrt::weights
