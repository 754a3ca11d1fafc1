// A small FastInst for the tests of what the maskrt command does with its results. Their targets define MASKRT_COMMAND
// and MASKRT_CONVERT_COMMAND.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "files.h"
#include "places.h"
#include "process.h"

namespace maskrt::testing {

/// The categories that the model below was converted with: 7, with ids 100 to 106, of which 103, 105 and 106 are stuff.
inline std::filesystem::path fast_inst_labels() { return test_data() / "heads" / "fast_inst_panoptic" / "labels.json"; }

/// The file of a small FastInst that finds instances, classes of pixels and segments, which nobody trained; it takes
/// little for a segment.
inline const std::string& fast_inst_model() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    const std::filesystem::path config = test_data() / "heads" / "fast_inst_panoptic" / "config.yaml";
    const std::string made = folder / "fast_inst.maskrt";
    const ProcessResult converted = run_process(
        {MASKRT_CONVERT_COMMAND, "--random-weights", "--config", config, "--labels", fast_inst_labels(), "-o", made,
         "MODEL.FASTINST.TEST.OBJECT_MASK_THRESHOLD", "0.1", "MODEL.FASTINST.TEST.OVERLAP_THRESHOLD", "0.0"});
    INFO(converted.err);
    REQUIRE(converted.status == 0);
    return made;
  }();
  return path;
}

}  // namespace maskrt::testing
