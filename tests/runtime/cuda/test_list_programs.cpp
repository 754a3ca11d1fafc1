// Networks whose lists are computed in list programs: which nodes they are, in what order, and what comes out.
#include <catch2/catch.hpp>

#include "network_run.h"
#include "runtime/cuda/list_runs.h"
#include "runtime/cuda/precision_plan.h"
#include "support/small_network.h"

namespace maskrt {
namespace {

using namespace testing;

constexpr std::int64_t channels = 64;

/// A query decoder of two layers in small: queries at learned positions of a map attend to it under masks and to each
/// other, the map to them; norms, perceptrons and mask products between. Layers on lists and on maps alternate.
graph::Graph decoder(Dice& dice, std::int64_t queries, std::int64_t more) {
  using namespace graph;
  Graph g;
  const auto norm = [&](const std::string& name, ValueId x) {
    LayerNorm op{dice.constant(name + ".weight", {channels}), dice.constant(name + ".bias", {channels})};
    return g.add(name, op, {x});
  };
  const auto linear = [&](const std::string& name, ValueId x, std::int64_t in = channels, std::int64_t out = channels,
                          graph::Activation activation = Activation::none) {
    Linear op = dice.linear(name, in, out);
    op.activation = activation;
    return g.add(name, op, {x});
  };
  ValueId x = g.add("input", Input{channels}, {});
  ValueId pixels = g.add("pixels", dice.conv("pixels", channels, channels, 1), {x});
  const ValueId scores = g.add("scores", dice.conv("scores", channels, 1, 1), {pixels});
  const ValueId positions = g.add_several("top", SelectTop{queries}, {scores}, {"positions", "top scores"})[0];
  ValueId rows = g.add("gathered", GatherPositions{}, {pixels, positions});
  const ValueId learned = g.add("learned", Parameter{dice.constant("learned", {more, channels})}, {});
  rows = g.add("queries", ConcatRows{}, {rows, learned});
  const ValueId places = g.add("places", Parameter{dice.constant("places", {queries + more, channels})}, {});
  for (int i = 0; i < 2; ++i) {
    const std::string name = "layer" + std::to_string(i) + ".";
    const ValueId first = norm(name + "mask_norm", g.add(name + "first", SliceRows{0, queries}, {rows}));
    const ValueId hidden = linear(name + "mask0", first, channels, channels, Activation::relu);
    const ValueId masks = g.add(name + "masks", MaskProduct{}, {linear(name + "mask1", hidden), pixels});
    const ValueId placed = g.add(name + "placed", Add{}, {rows, places});
    const ValueId to_rows = g.add(name + "to_rows", Attention{4},
                                  {g.add(name + "q", dice.conv(name + "q", channels, channels, 1), {pixels}),
                                   linear(name + "k", placed), linear(name + "v", rows)});
    pixels = norm(name + "pixel_norm", g.add(name + "pixel_sum", Add{}, {pixels, to_rows}));
    const ValueId looked =
        g.add(name + "to_pixels", Attention{4, true},
              {linear(name + "q2", placed), g.add(name + "k2", dice.conv(name + "k2", channels, channels, 1), {pixels}),
               g.add(name + "v2", dice.conv(name + "v2", channels, channels, 1), {pixels}), masks});
    rows = norm(name + "norm0", g.add(name + "sum0", Add{}, {rows, linear(name + "out", looked)}));
    const ValueId placed_again = g.add(name + "placed_again", Add{}, {rows, places});
    const ValueId own =
        g.add(name + "own", Attention{4},
              {linear(name + "q3", placed_again), linear(name + "k3", placed_again), linear(name + "v3", rows)});
    rows = norm(name + "norm1", g.add(name + "sum1", Add{}, {rows, linear(name + "out1", own)}));
    const ValueId inner = linear(name + "inner", rows, channels, 3 * channels, Activation::relu);
    rows = norm(name + "norm2",
                g.add(name + "sum2", Add{}, {rows, linear(name + "outer", inner, 3 * channels, channels)}));
  }
  g.outputs = {g.add("last", MaskProduct{}, {linear("kernels", rows), pixels}), linear("classes", rows, channels, 7)};
  return g;
}

}  // namespace

TEST_CASE("a query decoder is the same in list programs, whatever its queries and batch") {
  for (const auto& [queries, more, batch] :
       {std::tuple<std::int64_t, std::int64_t, std::int64_t>{20, 3, 1}, {40, 8, 3}, {1, 1, 2}, {130, 5, 1}}) {
    INFO(queries << " queries and " << more << ", " << batch << " images");
    Dice dice(31);
    graph::Graph g = decoder(dice, queries, more);
    const bool kept = GENERATE(false, true);
    // Values inside of what would be one program, attention to pixels among them, are there for whoever asks.
    if (kept)
      for (const char* name : {"layer0.to_pixels", "layer0.placed", "layer1.norm1", "queries"})
        g.outputs.push_back(g.find(name));
    const Map input = dice.map({batch, 24, 40, 64, false});
    const std::vector<Map> want = interpret(g, input);
    cuda::CudaNetwork network(g, Precision::fp16, Gpu::instance().library());
    const GpuRun run = run_on_gpu(network, input);
    const long programs = std::count(run.operations.begin(), run.operations.end(), "list_program");
    CHECK((programs > 0) == (Gpu::instance().chip().path() == kernels::KernelPath::sm90a));
    if (programs > 0 && !kept && queries < 120) {
      CHECK(std::count(run.operations.begin(), run.operations.end(), "linear") == 0);
      CHECK(programs <= 4);
    }
    // Forty roundings to fp16, one behind another; a query's mask decides what it sees, and its sign may flip.
    for (const auto& [name, map] : run.outputs) {
      INFO(name);
      CHECK(share_of_largest(map, want[static_cast<std::size_t>(g.find(name))]) <= 0.03);
    }
  }
}

TEST_CASE("nodes of list programs come together, and each behind what it reads") {
  Dice dice(31);
  const graph::Graph g = decoder(dice, 20, 3);
  const std::vector<graph::Extent> extents = graph::infer_extents(g, 1, 24, 40);
  kernels::Chip chip = Gpu::instance().chip();
  for (const int compute_capability : {75, 80, 90}) {
    chip.compute_capability = compute_capability;
    const PrecisionPlan fp16 = cuda::uniform_plan(g, extents, Precision::fp16);
    const graph::Graph ordered = cuda::with_lists_together(g, extents, fp16, chip);
    check(ordered);
    REQUIRE(ordered.nodes.size() == g.nodes.size());
    const std::vector<cuda::ListRun> runs =
        cuda::list_runs(ordered, extents, cuda::uniform_plan(ordered, extents, Precision::fp16), chip);
    // Before the first layer, behind each one's look at the pixels.
    CHECK(runs.size() == (compute_capability == 90 ? 3 : 0));
    CHECK(cuda::list_runs(ordered, extents, cuda::uniform_plan(ordered, extents, Precision::fp32), chip).empty());
  }
}

TEST_CASE("rows that are no whole eights are left to launches of their own") {
  Dice dice(37);
  const auto is_taken = [&](std::int64_t width) {
    graph::Graph g;
    const auto x = g.add("input", graph::Input{width}, {});
    const auto rows = g.add("rows", graph::Parameter{dice.constant("rows", {5, width})}, {});
    const auto normed =
        g.add("norm", graph::LayerNorm{dice.constant("weight", {width}), dice.constant("bias", {width})}, {rows});
    g.outputs = {g.add("masks", graph::MaskProduct{}, {normed, x})};
    kernels::Chip chip = Gpu::instance().chip();
    chip.compute_capability = 90;
    return cuda::is_of_lists(g.nodes[2], graph::infer_extents(g, 1, 8, 8), Precision::fp16, chip);
  };
  CHECK(is_taken(16));
  CHECK_FALSE(is_taken(12));  // a mask product's kernels are stored 16 apart
  CHECK_FALSE(is_taken(1024));
}

}  // namespace maskrt
