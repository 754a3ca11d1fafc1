// Whether the KEY VALUE pairs of a command line do anything.
#pragma once

#include <string>
#include <vector>

#include "config.h"

namespace maskrt::weights {

/// Of the keys that the command line set, those that only training reads; a mapping counts as the keys in it.
/// Throws Error for a key that is neither among `read`, which the network's family asked for, nor among `training`: it
/// names the key and the nearest that is. `unread` are the config's keys without a mapping that are not among `read`.
std::vector<std::string> overrides_for_training(const Config& config, const std::vector<std::string>& read,
                                                const std::vector<std::string>& training,
                                                const std::vector<std::string>& unread);

}  // namespace maskrt::weights
