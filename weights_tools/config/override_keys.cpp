#include "override_keys.h"

#include <algorithm>

#include "known_keys.h"
#include "maskrt/types.hpp"

namespace maskrt::weights {
namespace {

bool contains(const std::vector<std::string>& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

[[noreturn]] void refuse(const std::string& key, const std::vector<std::string>& read,
                         const std::vector<std::string>& training) {
  constexpr std::size_t kLongest = 200;
  std::vector<std::string> candidates = read;
  candidates.insert(candidates.end(), training.begin(), training.end());
  const std::string near = nearest_key(key, candidates);
  throw Error(key.substr(0, kLongest) +
              " (the command line): expected a key that this network or its training reads, found one that neither "
              "does" +
              (near.empty() ? "" : "; the nearest is " + near));
}

}  // namespace

std::vector<std::string> overrides_for_training(const Config& config, const std::vector<std::string>& read,
                                                const std::vector<std::string>& training,
                                                const std::vector<std::string>& unread) {
  std::vector<std::string> passed;
  for (const std::string& key : config.overridden) {
    const std::string section = key + ".";
    for (const std::string& one : unread) {
      if (one != key && !one.starts_with(section)) continue;
      if (!contains(training, one)) refuse(one, read, training);
      if (!contains(passed, one)) passed.push_back(one);
    }
    // An empty mapping has no keys that could be wrong.
    if (!is_key_or_section(key, read) && !is_key_or_section(key, training)) refuse(key, read, training);
  }
  return passed;
}

}  // namespace maskrt::weights
