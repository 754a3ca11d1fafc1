// What training puts before a network's names: DataParallel's `module.`, torch.compile's `_orig_mod.`, Lightning's
// `model.`, any other common prefix, and combinations of them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace maskrt::weights {

/// A checkpoint's names beside the network's.
struct AlignedNames {
  std::map<std::string, std::string> in_file;  ///< a name as the network has it -> the same as the checkpoint has it
  /// "took 'model._orig_mod.' off all names"; empty where nothing was taken off.
  std::string report;
};

/// Takes off wrappers, wherever they stand in a name (`module`, `_orig_mod` and their like), and then the prefix under
/// which most of the network's names are found; names without that prefix are left out. Where two prefixes have as many
/// (`model.` and `ema_model.`), none at all wins, and otherwise `prefix` has to say which.
/// Throws Error for two prefixes of which none wins, for a `prefix` under which nothing of the network is, and for two
/// names that become one name of the network.
AlignedNames align_names(const std::vector<std::string>& checkpoint, const std::set<std::string>& network,
                         const std::optional<std::string>& prefix);

}  // namespace maskrt::weights
