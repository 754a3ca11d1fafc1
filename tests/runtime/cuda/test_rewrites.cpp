// What the GPU asks of rewrites: each changes the launches, none the numbers, and each can be left out by its name.
#include <catch2/catch.hpp>
#include <set>

#include "graph/rewrites/rewrites.h"
#include "network_run.h"
#include "runtime/cuda/cuda_device.h"
#include "support/small_network.h"

namespace maskrt {
namespace {

using namespace testing;

GpuRun run(const graph::Graph& plain, Precision precision, const graph::RewriteNames& off, const Map& input) {
  const cuda::CudaDevice device(0);
  graph::Graph g = plain;
  graph::rewrite(g, off, device.wanted_rewrites(), device.fused_kernels(precision));
  cuda::CudaNetwork network(std::move(g), precision, Gpu::instance().library());
  return run_on_gpu(network, input);
}

long count(const GpuRun& run, const std::string& operation) {
  return std::count(run.operations.begin(), run.operations.end(), operation);
}

}  // namespace

TEST_CASE("each rewrite on request is worth launches, and leaves the numbers as they are") {
  Dice dice(21);
  const graph::Graph plain = small_sparse_inst(dice);
  const Map input = dice.map({2, 64, 96, 3, false});
  const std::vector<Map> want = interpret(plain, input);
  for (const Precision precision : {Precision::fp32, Precision::fp16}) {
    // Forty layers one behind another; fp16 rounds each value and the normalised maps' weights.
    const double bound = precision == Precision::fp32 ? 1e-4 : 0.1;
    const auto check = [&](const GpuRun& run) {
      for (const graph::ValueId output : plain.outputs) {
        const std::string& name = plain.values[static_cast<std::size_t>(output)].name;
        INFO(name << " in " << name_of(precision));
        CHECK(share_of_largest(run.outputs.at(name), want[static_cast<std::size_t>(output)]) <= bound);
      }
    };
    const GpuRun all = run(plain, precision, {}, input);
    check(all);
    CHECK(count(all, "pyramid_pool") == 1);
    CHECK(count(all, "linear") == 2);
    CHECK(count(all, "regroup") == 0);
    CHECK(count(all, "upsample_nearest") == 0);
    CHECK(count(all, "stem_pool") == (precision == Precision::fp16 ? 1 : 0));

    struct Case {
      const char* name;
      const char* operation;  ///< that its absence brings
    };
    for (const Case& c : {Case{"upsample-residual", "upsample_nearest"},
                          {"pyramid-pool", "adaptive_average_pool"},
                          {"regroup-linear", "regroup"},
                          {"linear-heads", "linear"},
                          {"stem-pool", "max_pool"}}) {
      if (precision != Precision::fp16 && std::string(c.name) == "stem-pool") continue;
      INFO("without " << c.name);
      const GpuRun without = run(plain, precision, {c.name}, input);
      check(without);
      CHECK(count(without, c.operation) > count(all, c.operation));
      CHECK(without.operations.size() > all.operations.size());
    }
  }
}

TEST_CASE("a ResNet-D's shortcut is one launch with the rewrite in fp16, else two, at even and at odd sizes") {
  Dice dice(23);
  graph::Graph plain;
  const auto x = plain.add("x", graph::Input{24}, {});
  const auto means = plain.add("means", graph::AveragePool{2, 2}, {x});
  const auto shortcut = plain.add("shortcut", dice.conv("shortcut", 24, 40, 1, false), {means});
  const auto projected = plain.add("shortcut.norm", dice.batch_norm("norm", 40), {shortcut});
  graph::Conv strided = dice.conv("strided", 24, 40, 3);
  strided.stride = 2;
  const auto sum = plain.add("sum", graph::Add{}, {plain.add("strided", strided, {x}), projected});
  plain.outputs = {plain.add("out", graph::Activate{}, {sum})};
  for (const auto& [height, width] : {std::pair{12, 20}, {7, 9}, {1, 1}}) {
    const Map input = dice.map({2, height, width, 24, false});
    const Map want = interpret(plain, input)[static_cast<std::size_t>(plain.outputs[0])];
    for (const Precision precision : {Precision::fp32, Precision::fp16}) {
      INFO(height << "x" << width << " in " << name_of(precision));
      const GpuRun fused = run(plain, precision, {}, input), apart = run(plain, precision, {"pooled-conv"}, input);
      CHECK(count(fused, "pooled_conv") == (precision == Precision::fp16 ? 1 : 0));
      CHECK(count(fused, "average_pool") == (precision == Precision::fp16 ? 0 : 1));
      CHECK(count(fused, "conv") == (precision == Precision::fp16 ? 1 : 2));
      CHECK(count(apart, "average_pool") == 1);
      CHECK(count(apart, "conv") == 2);
      // Two layers, one behind the other: sums of 216 and 24 products.
      const double bound = precision == Precision::fp32 ? 216 * 0x1p-24 : 6 * 0x1p-11;
      CHECK(share_of_largest(fused.outputs.at("out"), want) <= bound);
      CHECK(share_of_largest(apart.outputs.at("out"), want) <= bound);
    }
  }
}

TEST_CASE("logits with a large bias are right to their own size in fp16, for the aggregation and for callers") {
  Dice dice(29);
  graph::Graph plain;
  const auto x = plain.add("x", graph::Input{24}, {});
  graph::Conv conv = dice.conv("iam", 24, 20, 1);
  const std::vector<float> biases(20, -13.3f);
  conv.bias = std::make_shared<graph::Constant>("bias", Shape{20}, [=] { return biases; });
  const auto logits = plain.add("iam", conv, {x}, "logits");
  const auto weights = plain.add("sigmoid", graph::Activate{graph::Activation::sigmoid}, {logits});
  const auto maps = plain.add("maps", graph::NormaliseMaps{1e-6}, {weights});
  const auto list = plain.add("list", graph::Aggregate{}, {maps, x});
  const bool kept = GENERATE(false, true);
  plain.outputs = {list};
  if (kept) plain.outputs.push_back(logits);
  const Map input = dice.map({2, 7, 9, 24, false});
  const std::vector<Map> want = interpret(plain, input);
  for (const Precision precision : {Precision::fp32, Precision::fp16}) {
    INFO(name_of(precision));
    const GpuRun late = run(plain, precision, {}, input);
    const double unit = precision == Precision::fp32 ? 216 * 0x1p-24 : 6 * 0x1p-11;
    CHECK(share_of_largest(late.outputs.at("list"), want[static_cast<std::size_t>(list)]) <= unit);
    CHECK(count(late, "batch_norm") == (kept && precision == Precision::fp16 ? 1 : 0));
    if (!kept) continue;
    // fp16's rounding at the bias, whose unit is 1/128, would cost up to 1/256.
    double worst = 0;
    const Map& right = want[static_cast<std::size_t>(logits)];
    for (std::size_t i = 0; i < right.data.size(); ++i)
      worst = std::max(worst, std::abs(late.outputs.at("logits").data[i] - right.data[i]));
    CHECK(worst <= (precision == Precision::fp32 ? 0x1p-18 : 0x1p-9));
  }
}

TEST_CASE("all that the GPU asks for are rewrites on request") {
  const cuda::CudaDevice device(0);
  for (const std::string& name : device.wanted_rewrites()) {
    INFO(name);
    const auto known = graph::rewrites();
    const auto found = std::find_if(known.begin(), known.end(), [&](const auto& step) { return step.name == name; });
    REQUIRE(found != known.end());
    CHECK(found->on_request);
  }
}

TEST_CASE("fused operations of a file come apart where there are no kernels for them") {
  Dice dice(22);
  const graph::Graph g = every_operation(dice);
  const Map input = dice.map({2, 24, 40, 4, false});
  const std::vector<Map> want = interpret(g, input);
  for (const Precision precision : {Precision::fp32, Precision::fp16}) {
    cuda::CudaNetwork network(g, precision, Gpu::instance().library());
    const GpuRun got = run_on_gpu(network, input);
    CHECK(count(got, "stem_pool") == (precision == Precision::fp16 ? 1 : 0));
    for (const graph::ValueId output : g.outputs) {
      const std::string& name = g.values[static_cast<std::size_t>(output)].name;
      INFO(name << " in " << name_of(precision));
      const Map& wanted = want[static_cast<std::size_t>(output)];
      // Maps whose sum is no more than epsilon are divided by it: fp16 has no such numbers.
      constexpr double most_in_fp16 = 65504;
      const auto too_large = [](double number) { return std::abs(number) > most_in_fp16; };
      if (precision == Precision::fp16 && std::any_of(wanted.data.begin(), wanted.data.end(), too_large)) {
        CHECK(name == "normalise");
        continue;
      }
      // Sums of at most some hundred terms; of the fp32 ones, those of maps divide by what is left of 960.
      CHECK(share_of_largest(got.outputs.at(name), wanted) <= (precision == Precision::fp32 ? 1e-4 : 0.05));
    }
  }
}

}  // namespace maskrt
