// Which of its maps a backbone hands out.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "weights_tools/backbones/backbone.h"

namespace maskrt::weights {

/// The features that a config names, of those that the backbone can make.
class OutFeatures {
 public:
  /// Reads a key such as MODEL.RESNETS.OUT_FEATURES. `made` are the names of all features, in the order in which the
  /// backbone makes them; `of` ("" or " of cspresnet50") says what makes them. Throws Error for other names.
  OutFeatures(ConfigReader& reader, const std::string& key, const std::vector<std::string>& fallback,
              const std::vector<std::string>& made, const std::string& of = {});

  /// How many features have to be made, up to the last that is named: what comes after them is not built, and its
  /// tensors may be missing. At least 1.
  std::size_t built() const { return built_; }
  /// Those that are named.
  Features of(const Features& made) const;

 private:
  std::vector<std::string> names_;
  std::size_t built_ = 1;
};

}  // namespace maskrt::weights
