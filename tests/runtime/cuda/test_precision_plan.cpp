// Networks whose values are stored in more than one type: what there are kernels for runs, what there are none for is
// an error of the plan.
#include <catch2/catch.hpp>

#include "network_run.h"
#include "runtime/cuda/precision_plan.h"
#include "support/small_network.h"

namespace maskrt {
namespace {

using namespace testing;
using graph::Graph;
using graph::ValueId;

/// A uniform plan but for the values named.
cuda::CudaNetwork::PlanPrecision plan_with(Precision precision, std::map<std::string, DataType> changed) {
  return [=](const Graph& g, const std::vector<graph::Extent>& extents) {
    PrecisionPlan plan = cuda::uniform_plan(g, extents, precision);
    for (const auto& [name, type] : changed) plan.value.at(static_cast<std::size_t>(g.find(name))) = type;
    return plan;
  };
}

GpuRun run(const Graph& g, const cuda::CudaNetwork::PlanPrecision& plan, const Map& input) {
  cuda::CudaNetwork network(g, {}, plan, Gpu::instance().library());
  return run_on_gpu(network, input);
}

std::string refusal(const Graph& g, const cuda::CudaNetwork::PlanPrecision& plan) {
  cuda::CudaNetwork network(g, {}, plan, Gpu::instance().library());
  try {
    network.compile(1, 16, 16, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Each of `layers` results, and what it is made of, rounded to a type of `bits` of fraction. Roundings of `terms`
/// products are independent, so their sum grows as the root of their number; four times that.
double bound_of(double terms, double layers, int bits) {
  return layers * 4 * std::sqrt(terms) * std::ldexp(1.0, -bits - 1);
}

struct Small {
  Dice dice{5};
  Graph graph;
  ValueId conv, masks, resized;

  Small() {
    const auto x = graph.add("x", graph::Input{8}, {});
    conv = graph.add("conv", dice.conv("conv", 8, 16, 3), {x});
    const auto list = graph.add("list", graph::Aggregate{}, {x, conv});
    masks = graph.add("masks", graph::MaskProduct{}, {list, conv});
    resized = graph.add("resized", graph::ResizeBilinear{2.0}, {masks});
    graph.outputs = {conv, masks, resized};
  }
};

}  // namespace

TEST_CASE("single values are kept in fp32 in a network in fp16") {
  Small small;
  const Map input = small.dice.map({2, 13, 11, 8, false});
  const std::vector<Map> want = interpret(small.graph, input);
  const auto stored = [](const GpuRun& run) {
    std::vector<DataType> types;
    for (const char* name : {"conv", "masks", "resized"}) types.push_back(run.stored.at(name));
    return types;
  };
  using enum DataType;
  const std::vector<std::pair<std::map<std::string, DataType>, std::vector<DataType>>> cases = {
      {{}, {f16, f16, f16}},
      {{{"resized", f32}}, {f16, f16, f32}},
      {{{"masks", f32}, {"resized", f32}}, {f16, f32, f32}},
  };
  for (const auto& [changed, types] : cases) {
    const GpuRun got = run(small.graph, plan_with(Precision::fp16, changed), input);
    CHECK(stored(got) == types);
    for (const char* name : {"conv", "masks", "resized"}) {
      INFO(name << " with " << changed.size() << " values in fp32");
      const auto value = static_cast<std::size_t>(small.graph.find(name));
      CHECK(share_of_largest(got.outputs.at(name), want[value]) <= bound_of(72, 4, 10));
    }
    for (std::size_t i = 0; i < types.size(); ++i) {
      const char* name = i == 0 ? "conv" : i == 1 ? "masks" : "resized";
      const std::vector<double>& numbers = got.outputs.at(name).data;
      const bool finer = std::any_of(numbers.begin(), numbers.end(), [](double number) {
        return float_from_f16(f16_from_float(static_cast<float>(number))) != static_cast<float>(number);
      });
      INFO(name);
      CHECK(finer == (types[i] == f32));
    }
  }
}

TEST_CASE("a convolution stores fp32 from fp16, and views keep the type of what they look into") {
  Dice dice(7);
  Graph g;
  const auto x = g.add("x", graph::Input{8}, {});
  const auto wide = g.add("wide", dice.conv("wide", 8, 24, 3), {x});
  const auto slice = g.add("slice", graph::Slice{8, 8}, {wide});
  const auto relu = g.add("relu", graph::Activate{}, {slice});
  const auto joined = g.add("joined", graph::Concat{}, {x, slice});
  g.outputs = {wide, relu, joined};
  const Map input = dice.map({1, 9, 10, 8, false});
  const std::vector<Map> want = interpret(g, input);
  using enum DataType;
  for (const auto& changed :
       {std::map<std::string, DataType>{{"wide", f32}}, {{"wide", f32}, {"slice", f32}, {"relu", f32}}}) {
    const GpuRun got = run(g, plan_with(Precision::fp16, changed), input);
    CHECK(got.stored.at("wide") == f32);
    CHECK(got.stored.at("relu") == (changed.size() == 1 ? f16 : f32));
    CHECK(got.stored.at("joined") == f16);
    // A slice is a copy where its type is another one.
    const auto copies = std::count(got.operations.begin(), got.operations.end(), "slice");
    CHECK(copies == (changed.size() == 1 ? 1 : 0));
    for (const ValueId output : g.outputs) {
      const std::string& name = g.values[static_cast<std::size_t>(output)].name;
      INFO(name);
      CHECK(share_of_largest(got.outputs.at(name), want[static_cast<std::size_t>(output)]) <= bound_of(72, 1, 10));
    }
  }
}

TEST_CASE("offsets of deformable convolutions alone are kept in fp32 in a network in fp16") {
  Dice dice(9);
  Graph g;
  const auto x = g.add("x", graph::Input{16}, {});
  const auto offsets = g.add("offsets", dice.conv("offsets", 16, 27, 3), {x});
  const auto shared = g.add("shared", dice.conv("shared", 16, 27, 3), {x});
  graph::DeformConv deform;
  deform.weight = dice.constant("weight", {24, 16, 3, 3});
  deform.padding = 1;
  deform.modulated = true;
  const auto alone = g.add("alone", deform, {x, offsets}), beside = g.add("beside", deform, {x, shared});
  const auto relu = g.add("relu", graph::Activate{}, {shared});
  g.outputs = {offsets, alone, shared, beside, relu};
  const Map input = dice.map({2, 11, 9, 16, false});
  const std::vector<Map> want = interpret(g, input);
  using enum DataType;
  const GpuRun half = run(g, plan_with(Precision::fp16, {}), input),
               whole = run(g, plan_with(Precision::fp32, {}), input);
  CHECK(half.stored.at("offsets") == f32);
  CHECK(half.stored.at("shared") == f16);
  for (const char* name : {"alone", "beside"}) {
    INFO(name);
    const Map& wanted = want[static_cast<std::size_t>(g.find(name))];
    CHECK(half.stored.at(name) == f16);
    CHECK(share_of_largest(half.outputs.at(name), wanted) <= bound_of(144, 2, 10));
    CHECK(share_of_largest(whole.outputs.at(name), wanted) <= bound_of(144, 8, 23));
  }
}

TEST_CASE("a plan without kernels for its types is refused when it is made, with the node, the family and the types") {
  const Small small;
  using enum DataType;
  const auto with = [&](std::map<std::string, DataType> changed) {
    return refusal(small.graph, plan_with(Precision::fp16, std::move(changed)));
  };
  CHECK(with({}).empty());
  CHECK(with({{"x", f32}}) == "node conv (conv): expected its input in fp16, as it computes in fp16, found fp32");
  CHECK(with({{"conv", f32}}) ==
        "node list (aggregate): aggregate (maps, features): expected (fp32, fp32) or (fp16, fp16), found (fp16, fp32)");
  CHECK(with({{"masks", bf16}}) ==
        "node masks (mask_product): mask product (features, output): expected (fp32, fp32) or (fp16, fp16) or "
        "(fp16, fp32), found (fp16, bf16)");
  CHECK(with({{"masks", f32}}) ==
        "node resized (resize_bilinear): resize (inputs, output): expected (fp32, fp32) or (fp16, fp16) or "
        "(fp16, fp32), found (fp32, fp16)");
  CHECK_THAT(with({{"conv", i8}}), Catch::Contains("node conv (conv): ") && Catch::Contains("int8"));
  // Not a kernel of another type: none is looked for in bf16 at all.
  CHECK_THAT(refusal(small.graph, plan_with(Precision::bf16, {})), Catch::Contains("found bf16"));
}

}  // namespace maskrt
