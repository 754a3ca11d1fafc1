// How deformable convolutions are planned for chips that are not there, and the order of their packed weights.
#include <catch2/catch.hpp>
#include <tuple>

#include "kernels/deform/cuda/deform_conv_cuda.h"
#include "kernels/deform/cuda/deform_kernels.h"
#include "testing/chips.h"

using namespace maskrt;
using namespace maskrt::kernels;
using testing::a100;
using testing::h200;
using testing::t4;

namespace {

CudaDeformProblem layer(std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t channels,
                        DataType type = DataType::f16) {
  CudaDeformProblem problem;
  problem.geometry.conv = {3, 3, 1, 1};
  problem.in = problem.out = dense(nullptr, type, batch, height, width, channels, 0);
  problem.offsets = dense(nullptr, DataType::f32, batch, height, width, 18, 24);
  return problem;
}

// Of R-50 for pictures of 608 x 864.
const CudaDeformProblem res4 = layer(1, 38, 54, 256), res5 = layer(1, 19, 27, 512), many = layer(8, 38, 54, 256);

const ConvKernel& kernel_of(const CudaDeformPlan& plan) {
  return deform_kernels()[static_cast<std::size_t>(plan.choice.kernel)];
}

}  // namespace

TEST_CASE("the plan of a deformable convolution is the choice that the model predicts to be fastest") {
  for (const Chip& chip : {h200, a100, t4}) {
    for (const CudaDeformProblem& problem : {res4, res5, many, layer(1, 7, 5, 12), layer(1, 9, 9, 64, DataType::f32)}) {
      const std::vector<ConvChoice> choices = deform_choices(problem, chip);
      const CudaDeformPlan best = plan_deform_conv(problem, chip);
      CHECK(best.choice == choices.front());
      for (const ConvChoice& choice : choices) {
        const CudaDeformPlan plan = plan_deform_conv(problem, chip, &choice);
        CHECK(plan.predicted_seconds >= best.predicted_seconds);
        CHECK(chip.path() >= kernel_of(plan).oldest);
        CHECK(chip.path() <= kernel_of(plan).newest);
        CHECK(plan.shared_bytes <= chip.shared_per_block);
      }
    }
  }
}

TEST_CASE("parts of a deformable convolution's sum are added in clusters where the chip holds all of them") {
  const CudaDeformPlan hopper = plan_deform_conv(res4, h200), ampere = plan_deform_conv(res4, a100);
  CHECK(hopper.choice.splits > 1);
  CHECK(hopper.params.conv.in_cluster == 1);
  CHECK(hopper.cluster.z == static_cast<std::uint32_t>(hopper.choice.splits));
  CHECK(hopper.workspace_bytes == 0);
  CHECK(ampere.choice.splits > 1);
  CHECK(ampere.params.conv.in_cluster == 0);
  CHECK(ampere.cluster.count() == 1);
  CHECK(ampere.workspace_bytes > 0);
  CHECK(ampere.counter_bytes > 0);
  Chip small = h200;
  small.multiprocessors = 8;
  const CudaDeformPlan forced = plan_deform_conv(res4, small, &hopper.choice);
  CHECK(forced.params.conv.in_cluster == 0);
  CHECK(forced.workspace_bytes > 0);
}

TEST_CASE("sampling costs less than half of a convolution on Hopper, at batch 1 and 8") {
  for (const CudaDeformProblem& problem : {res4, res5, many}) {
    CudaConvProblem conv;
    conv.geometry = problem.geometry.conv;
    conv.in = problem.in;
    conv.out = problem.out;
    const double plain = plan_conv(conv, h200).predicted_seconds;
    const double sampled = plan_deform_conv(problem, h200).predicted_seconds;
    CHECK(sampled > plain);
    CHECK(sampled < 1.5 * plain);
  }
}

TEST_CASE("sampling means costs less than the 2x2 convolution of four times the products that does the same") {
  // The shortcuts of R-50-D for pictures of 608 x 864: res3 to res5.
  for (const Chip& chip : {h200, a100, t4}) {
    for (const std::int64_t batch : {1, 8}) {
      for (const auto& [height, width, channels] :
           {std::tuple<std::int64_t, std::int64_t, std::int64_t>{76, 108, 256}, {38, 54, 512}, {19, 27, 1024}}) {
        INFO("compute capability " << chip.compute_capability << ", batch " << batch << ", " << channels);
        CudaDeformProblem pooled;
        pooled.geometry.conv.stride = 2;
        pooled.pooled = true;
        pooled.in = dense(nullptr, DataType::f16, batch, 2 * height, 2 * width, channels, 0);
        pooled.out = dense(nullptr, DataType::f16, batch, height, width, 2 * channels, 0);
        CudaConvProblem quadruple;
        quadruple.geometry = {2, 2, 2, 0};
        quadruple.in = pooled.in;
        quadruple.out = pooled.out;
        CHECK(plan_deform_conv(pooled, chip).predicted_seconds < plan_conv(quadruple, chip).predicted_seconds);
      }
    }
  }
}

TEST_CASE("packed weights of a deformable convolution lie in the order of its depth") {
  // Two groups of 3 channels and three offset groups of 2: parts of one channel, each padded to 8 elements of f16.
  DeformGeometry geometry;
  geometry.conv = {5, 2, 1, 0, 1, 2};
  geometry.offset_groups = 3;
  const DeformWeightLayout narrow = deform_weight_layout(geometry, DataType::f16, 6, 2);
  CHECK(narrow.part_channels == 1);
  CHECK(narrow.parts() == 3);
  CHECK(narrow.tap_groups == 2);
  CHECK(narrow.run_depth == 128);      // 9 taps of 8 elements
  CHECK(narrow.last_run_depth == 64);  // 1 tap
  CHECK(narrow.depth() == 3 * 192);

  geometry = {{3, 3, 1, 1}};
  const DeformWeightLayout wide = deform_weight_layout(geometry, DataType::f32, 64, 2);
  CHECK(wide.block == 32);
  CHECK(wide.depth() == 9 * 64);
  // Of each weight its own number, [out, channel, tap].
  std::vector<float> weight(2 * 64 * 9), packed(weight.size());
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i);
  pack_deform_weight(wide, weight.data(), packed.data());
  const auto number = [](int out, int channel, int tap) { return static_cast<float>((out * 64 + channel) * 9 + tap); };
  CHECK(packed[0] == number(0, 0, 0));
  CHECK(packed[31] == number(0, 31, 0));
  CHECK(packed[32] == number(0, 0, 1));
  CHECK(packed[9 * 32 - 1] == number(0, 31, 8));
  CHECK(packed[9 * 32] == number(0, 32, 0));
  CHECK(packed[9 * 64 + 33] == number(1, 1, 1));
}
