#include "out_features.h"

#include <algorithm>

#include "weights_tools/words.h"

namespace maskrt::weights {

OutFeatures::OutFeatures(ConfigReader& reader, const std::string& key, const std::vector<std::string>& fallback,
                         const std::vector<std::string>& made, const std::string& of)
    : names_(reader.strings(key, fallback)) {
  for (const std::string& name : names_) {
    const auto at = std::find(made.begin(), made.end(), name);
    if (at == made.end())
      throw Error(reader.where(key) + ": expected " + joined(made, "or") + of + ", found '" + name + "'");
    built_ = std::max(built_, static_cast<std::size_t>(at - made.begin()) + 1);
  }
}

Features OutFeatures::of(const Features& made) const {
  Features named;
  for (const std::string& name : names_) named[name] = made.at(name);
  return named;
}

}  // namespace maskrt::weights
