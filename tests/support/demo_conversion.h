// The demo's checkpoint converted in this process. Targets define MASKRT_DEMO and link maskrt_weights.
#pragma once

#include <filesystem>

#include "weights_tools/convert.h"

namespace maskrt::testing {

/// Writes the demo's model file, without labels, into a folder and gives its path.
inline std::filesystem::path convert_demo(const std::filesystem::path& folder) {
  const std::filesystem::path demo = MASKRT_DEMO;
  weights::ConvertOptions options;
  options.checkpoint = demo / "checkpoint.pth";
  options.config = (demo / "config.yaml").string();
  options.output = folder / "shapes.maskrt";
  weights::convert(options);
  return *options.output;
}

}  // namespace maskrt::testing
