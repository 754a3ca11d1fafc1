// The demo's model as the converter makes it, for tests of whole programs. Their targets define MASKRT_DEMO and
// MASKRT_CONVERT_COMMAND.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "files.h"
#include "places.h"
#include "process.h"

namespace maskrt::testing {

inline const std::string demo = place("MASKRT_DEMO", MASKRT_DEMO);

/// The model file, converted once for all tests of a program.
inline const std::string& demo_model() {
  static const TemporaryFolder folder;
  static const std::string path = [] {
    const std::string model = folder / "shapes.maskrt";
    const ProcessResult made =
        run_process({place("MASKRT_CONVERT_COMMAND", MASKRT_CONVERT_COMMAND), demo + "/checkpoint.pth", "--config",
                     demo + "/config.yaml", "--labels", demo + "/labels.json", "-o", model});
    INFO(made.err);
    REQUIRE(made.status == 0);
    return model;
  }();
  return path;
}

}  // namespace maskrt::testing
