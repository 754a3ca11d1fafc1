// Where the maps of a grouped convolution lie: apart where an aggregation alone reads them, side by side elsewhere.
#include <catch2/catch.hpp>

#include "runtime/cuda/network.h"
#include "runtime/model.h"
#include "support/gpu.h"
#include "support/small_network.h"

namespace maskrt {
namespace {

using namespace testing;

/// The small network in fp32, whose four groups of five maps are not merged.
Model small_model(std::vector<std::string> keep) {
  Dice dice(1);
  graph::ModelDescription description;
  description.name = "small";
  description.graph = small_sparse_inst(dice);
  ModelOptions options;
  options.device = "cuda";
  options.precision = Compute::fp32;
  options.keep = std::move(keep);
  return make_model(std::move(description), options);
}

kernels::CudaConvProblem maps_of(const Model& model) {
  const auto all = static_cast<cuda::CudaNetwork&>(*model.impl()->network).convolutions(1, 64, 64);
  for (const kernels::CudaConvProblem& problem : all)
    if (problem.geometry.groups == 4) return problem;
  FAIL("no convolution gives 4 groups of 5 maps");
  return {};
}

TEST_CASE("maps that an aggregation alone reads begin with a sector of memory a group, those that are kept do not") {
  const Model alone = small_model({}), kept = small_model({"iam_logits"});
  CHECK(maps_of(alone).out_group_stride == 8);
  CHECK(maps_of(alone).out.block == 4 * 8);
  CHECK(maps_of(kept).out_group_stride == 0);
  CHECK(maps_of(kept).out.block == 24);

  std::vector<std::uint8_t> pixels(64 * 64 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37 % 251);
  const std::vector<Image> images = {Image::from_pixels(pixels.data(), 64, 64, PixelFormat::rgb)};
  const auto want = Session(kept).tensors(images);
  for (const auto& [name, tensor] : Session(alone).tensors(images)) {
    INFO(name);
    REQUIRE(want.count(name) == 1);
    // The same sums in the same order.
    CHECK(tensor.values == want.at(name).values);
  }
}

}  // namespace
}  // namespace maskrt
