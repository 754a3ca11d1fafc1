// Fixtures: small models with images, the tensors and instances that the authors' code computes for them in double
// precision, and how far that code itself falls from them in fp32 and with fp16 storage.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "maskrt/maskrt.hpp"
#include "runtime/mask/rle.h"

namespace maskrt::testing {

/// Distances from the double-precision values.
struct Noise {
  double deviation = 0;  ///< standard deviation of the values themselves
  double fp32_rms = 0, fp32_max = 0, fp16_rms = 0, fp16_max = 0;
};

struct ExpectedInstance {
  float score = 0;
  int class_id = 0;
  std::int64_t area = 0;
  rle::Runs mask;
};

/// FastInst's: a segment's class.
struct ExpectedSegment {
  int class_id = 0;
  bool is_thing = true;
};

/// The images of one run with their instances, in the reference's order.
using ExpectedImages = std::vector<std::vector<ExpectedInstance>>;

struct Fixture {
  std::string name;
  graph::ModelDescription model;
  std::vector<Image> images;
  std::map<std::string, HostTensor> tensors;
  /// Every k-th channel (or instance) alone is in `tensors`; 1 where not named.
  std::map<std::string, int> every;
  std::map<std::string, Noise> noise;
  ExpectedImages batched, single;  ///< empty where the fixture does not have them
  /// Of images, which the run as one batch and one by one share: those of panoptic.I, from 1. Empty likewise.
  std::vector<std::vector<ExpectedSegment>> segments;
};

/// Folders under tests/data/fixtures and, where MASKRT_FIXTURES names one, in there; each name once.
std::vector<std::filesystem::path> fixture_folders();

/// Converts the fixture's checkpoint into a model file in `scratch` (generates the weights of a wide one), reads that
/// back, and loads everything beside it. Without a checkpoint the model has weights of nobody's. Throws Error, also for
/// a model that maskrt does not build yet.
Fixture load_fixture(const std::filesystem::path& folder, const std::filesystem::path& scratch);

}  // namespace maskrt::testing
