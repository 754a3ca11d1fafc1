// The rewrites together, on a network with everything that SparseInst has.
#include <catch2/catch.hpp>

#include "compare.h"
#include "graph/print.h"
#include "graph/rewrites/report.h"
#include "graph/rewrites/rewrites.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

std::set<std::string, std::less<>> all_but(std::string_view kept) {
  std::set<std::string, std::less<>> names;
  for (const auto& step : rewrites())
    if (step.name != kept) names.insert(std::string(step.name));
  return names;
}

std::set<std::string, std::less<>> on_request() {
  std::set<std::string, std::less<>> names;
  for (const auto& step : rewrites())
    if (step.on_request) names.insert(std::string(step.name));
  return names;
}

/// Of a device with kernels for all that fused operations can be here.
constexpr FusedKernels kKernels{.stem_side = 7,
                                .stem_channels = 4,
                                .pyramid_branches = 8,
                                .linear_heads = 4,
                                .logits_bias = true,
                                .residual_scale = 2};

double flops_of(const Graph& graph, std::int64_t height, std::int64_t width) {
  const auto extents = infer_extents(graph, 1, height, width);
  double sum = 0;
  for (const auto& node : graph.nodes) sum += cost_of(graph, node, extents).flops;
  return sum;
}

}  // namespace

TEST_CASE("all rewrites together keep the outputs and leave only fused nodes") {
  Dice dice(7);
  const auto plain = small_sparse_inst(dice, GENERATE(false, true));
  auto fused = plain;
  rewrite(fused);
  INFO(to_text(fused));
  for (const auto& [height, width] : {std::pair{64, 96}, {32, 32}, {96, 32}}) {
    const auto values = interpret(plain, dice.map({2, height, width, 3}));
    require_same_outputs(plain, values, fused);
  }
  CHECK(count_of<BatchNorm>(fused) == 0);
  CHECK(count_of<Add>(fused) == 0);
  CHECK(count_of<Activate>(fused) == 0);
  CHECK(count_of<Concat>(fused) == 0);
  CHECK(count_of<Coordinates>(fused) == 0);
  CHECK(count_of<NormaliseMaps>(fused) + count_of<SoftmaxMaps>(fused) + count_of<Aggregate>(fused) == 0);
  CHECK(count_of<AggregateLogits>(fused) == 1);
  CHECK(count_of<Slice>(fused) == 2);           // the two branches' first convolutions
  CHECK(count_of<ResizeBilinear>(fused) == 3);  // pooling, fusion, masks
  REQUIRE(fused.find("encoder") == plain.find("encoder"));
  REQUIRE(fused.producer(fused.find("encoder")) >= 0);
  const auto& encoder = fused.nodes[static_cast<std::size_t>(fused.producer(fused.find("encoder")))];
  CHECK(encoder.name == "encoder.fpn_outputs.2 + encoder.fusion");  // the fusion layer is gone
  CHECK(flops_of(fused, 640, 864) < flops_of(plain, 640, 864));
}

TEST_CASE("each rewrite alone, and all but each, keep the outputs") {
  Dice dice(8);
  const auto plain = small_sparse_inst(dice);
  const auto values = interpret(plain, dice.map({2, 32, 64, 3}));
  auto everything = plain;
  rewrite(everything, {}, on_request(), kKernels);
  require_same_outputs(plain, values, everything);
  for (const auto& step : rewrites()) {
    if (step.name == "resize-masks-late") continue;  // it changes what a head reads (test_heads.cpp), and here is none
    if (step.name == "linear-as-conv") continue;     // of transformers (test_rewrites.cpp)
    if (step.name == "pooled-conv") continue;        // of a ResNet-D (test_fused.cpp)
    if (step.name == "late-positions" || step.name == "sum-resized") continue;  // of FastInst (test_map_sums.cpp)
    INFO(step.name);
    auto alone = plain;
    rewrite(alone, all_but(step.name), on_request(), kKernels);
    require_same_outputs(plain, values, alone);
    // What these look for in this network, others uncover; the rest find something by themselves.
    const std::set<std::string_view> later = {"compose-convs", "pair-convs", "upsample-residual",
                                              "pyramid-pool",  "stem-pool",  "late-logits-bias"};
    if (!later.contains(step.name)) CHECK(to_text(alone) != to_text(plain));

    auto without = plain;
    rewrite(without, {std::string(step.name)}, on_request(), kKernels);
    require_same_outputs(plain, values, without);
    CHECK(to_text(without) != to_text(everything));
  }
  auto off = plain;
  rewrite(off, all_but("none"));
  CHECK(to_text(off) == to_text(plain));
}

TEST_CASE("any value can be made an output and is then kept") {
  Dice dice(9);
  const auto plain = small_sparse_inst(dice);
  const auto values = interpret(plain, dice.map({1, 32, 32, 3}));
  for (std::size_t id = 1; id < plain.values.size(); ++id) {
    auto wanted = plain;
    wanted.outputs.push_back(static_cast<ValueId>(id));
    auto fused = wanted;
    rewrite(fused);
    require_same_outputs(wanted, values, fused);
    fused = wanted;
    rewrite(fused, {}, on_request(), kKernels);
    require_same_outputs(wanted, values, fused);
  }
  auto everything = plain;
  for (std::size_t id = 1; id < plain.values.size(); ++id) everything.outputs.push_back(static_cast<ValueId>(id));
  auto fused = everything;
  rewrite(fused);
  require_same_outputs(everything, values, fused);
}

TEST_CASE("with weights of any kind, constants are rounded to fp32 once a rewrite") {
  // Each of the at most four rewrites that a weight passes rounds it by 2^-24 of itself; the network is 25 layers deep.
  // Relative to the largest output, random errors of that size stay below their sum.
  constexpr double bound = 25 * 4 * 6e-8;
  Dice dice(10);
  auto plain = small_sparse_inst(dice);
  for (auto& node : plain.nodes) {
    const auto disturb = [&](ConstantPtr& constant) {
      if (!constant) return;
      auto numbers = constant->evaluate();
      for (auto& number : numbers) number *= 1 + static_cast<float>(dice.between(-1000, 1000)) * 1e-4f;
      constant = make_constant(constant->name(), constant->shape(), std::move(numbers));
    };
    if (auto* conv = std::get_if<Conv>(&node.operation)) disturb(conv->weight), disturb(conv->bias);
    if (auto* linear = std::get_if<Linear>(&node.operation)) disturb(linear->weight), disturb(linear->bias);
    if (auto* norm = std::get_if<BatchNorm>(&node.operation)) {
      disturb(norm->weight), disturb(norm->mean), disturb(norm->variance);
      norm->epsilon = 1e-5;
    }
  }
  const auto values = interpret(plain, dice.map({2, 64, 32, 3}));
  auto fused = plain;
  rewrite(fused);
  require_same_outputs(plain, values, fused, bound);
}

TEST_CASE("a rewrite on request runs where it is asked for, and not where it is off") {
  Dice dice(13);
  const auto plain = small_sparse_inst(dice);
  auto usual = plain, paired = plain, off = plain;
  rewrite(usual);
  rewrite(paired, {}, {"pair-convs"});
  rewrite(off, {"pair-convs"}, {"pair-convs"});
  CHECK(count_of<Conv>(paired) < count_of<Conv>(usual));
  CHECK(to_text(off) == to_text(usual));
  CHECK_THROWS_WITH(rewrite(off, {}, {"pair-lists"}), Catch::Contains("found pair-lists"));
}

TEST_CASE("the report has a line for the plain graph and one a rewrite") {
  Dice dice(12);
  const auto plain = small_sparse_inst(dice);
  auto fused = plain;
  rewrite(fused);
  const auto text = rewrites_to_text(plain, 1, 64, 96);
  CHECK(std::count(text.begin(), text.end(), '\n') ==
        2 + static_cast<std::ptrdiff_t>(rewrites().size() - on_request().size()));
  CHECK_THAT(text, Catch::Contains("(plain)") && Catch::Contains(std::to_string(plain.nodes.size())));
  CHECK_THAT(text.substr(text.find("merge-siblings")), Catch::Contains(std::to_string(fused.nodes.size())));

  auto requested = plain;
  rewrite(requested, {"linear-heads"}, on_request(), kKernels);
  const auto with_requests = rewrites_to_text(plain, 1, 64, 96, 2, {"linear-heads"}, on_request(), kKernels);
  CHECK(std::count(with_requests.begin(), with_requests.end(), '\n') ==
        1 + static_cast<std::ptrdiff_t>(rewrites().size()));
  CHECK_THAT(with_requests, !Catch::Contains("linear-heads"));
  CHECK_THAT(with_requests.substr(with_requests.find("stem-pool")),
             Catch::Contains(std::to_string(requested.nodes.size())));
}

TEST_CASE("a name that is no rewrite is an error that lists those there are") {
  Dice dice(11);
  auto graph = small_sparse_inst(dice);
  CHECK_THROWS_WITH(rewrite(graph, {"fold-everything"}),
                    Catch::Contains("fold-batch-norm") && Catch::Contains("found fold-everything"));
}
