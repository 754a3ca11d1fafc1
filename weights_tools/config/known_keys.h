// The keys that configs have by default, whether inference reads them or not: others are likely mistyped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config_value.h"

namespace maskrt::weights {

/// The keys of detectron2's defaults and of what SparseInst and FastInst add to them, as dotted paths.
const std::vector<std::string>& known_keys();

/// Whether it is one of known_keys(), or a mapping that holds some of them.
bool is_known_key(std::string_view key);

/// The key that somebody may have meant, of known_keys() and of those that `config` has; "" where none is near.
std::string nearest_key(const std::string& key, const ConfigValue& config);

/// Of a config's keys, those that are not known and but a letter or two away from one that is: "MODEL.PIXEL_SDT
/// (MODEL.PIXEL_STD?)". A project may have keys of its own, so this is for a report and not for an error.
std::vector<std::string> likely_mistakes(const std::vector<std::string>& keys);

}  // namespace maskrt::weights
