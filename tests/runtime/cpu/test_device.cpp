// The CPU device against the interpreter: every operation by itself, and a small network as a whole.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <set>

#include "graph/rewrites/rewrites.h"
#include "support/device_run.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::testing;
using graph::Activation;
using graph::Graph;
using graph::ValueId;

namespace {

struct Case {
  const char* name;
  std::int64_t channels;  ///< of the input
  /// Adds nodes after the input; the last value is the output.
  std::function<void(Graph&, ValueId, Dice&)> build;
};

graph::Conv grouped(Dice& dice, std::int64_t in, std::int64_t out, int groups) {
  graph::Conv op = dice.conv("grouped", in / groups, out, 3);
  op.padding = 1;
  op.groups = groups;
  return op;
}

graph::Conv same_size(Dice& dice, const char* name, std::int64_t in, std::int64_t out, int kernel = 3) {
  graph::Conv op = dice.conv(name, in, out, kernel);
  op.padding = kernel / 2;
  return op;
}

const std::vector<Case> cases = {
    {"convolution, few channels", 3, [](Graph& g, ValueId x, Dice& d) { g.add("c", same_size(d, "c", 3, 20), {x}); }},
    {"convolution, sigmoid", 17,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = same_size(d, "c", 17, 33);
       op.activation = Activation::sigmoid;
       g.add("s", same_size(d, "s", 33, 5), {g.add("c", op, {x})});
     }},
    {"convolutions with leaky ReLU, of which Winograd's epilogue has none", 64,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = same_size(d, "a", 64, 64);
       op.activation = Activation::leaky_relu;
       const auto first = g.add("a", op, {x});
       auto point = same_size(d, "b", 64, 33, 1);
       point.activation = Activation::leaky_relu;
       g.outputs.push_back(g.add("b", point, {first}));
       auto wide = same_size(d, "c", 256, 64);
       wide.activation = Activation::leaky_relu;
       g.add("c", wide, {g.add("four", graph::Concat{}, {x, first, first, x})});
     }},
    {"depthwise convolutions with GELU", 21,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = grouped(d, 21, 21, 21);
       op.activation = Activation::gelu;
       const auto first = g.add("odd", op, {x});
       auto next = grouped(d, 21, 21, 21);
       next.activation = Activation::gelu;
       next.residual = true;
       g.add("residual", next, {first, x});
     }},
    {"deformable convolutions", 32,
     [](Graph& g, ValueId x, Dice& d) {
       graph::DeformConv op;
       op.weight = d.constant("deform", {33, 32, 3, 3}), op.bias = d.constant("bias", {33});
       op.padding = 1, op.modulated = true, op.activation = Activation::relu;
       const auto first = g.add("deform", op, {x, g.add("offsets", same_size(d, "offsets", 32, 27), {x})});
       graph::DeformConv groups;
       groups.weight = d.constant("groups", {32, 8, 3, 3});
       groups.padding = 2, groups.dilation = 2, groups.groups = 2, groups.offset_groups = 2;
       groups.activation = Activation::sigmoid;
       const auto part = g.add("part", graph::Slice{16, 16}, {x});
       g.outputs.push_back(first);
       g.add("grouped", groups, {part, g.add("more offsets", same_size(d, "more", 33, 36), {first})});
     }},
    {"convolution, stride 2", 32,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = same_size(d, "c", 32, 48);
       op.stride = 2;
       g.add("c", op, {x});
     }},
    {"residual in place, the same one twice, and one that is an output", 16,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = same_size(d, "a", 16, 16);
       op.residual = true;
       op.activation = Activation::relu;
       const auto first = g.add("first", same_size(d, "first", 16, 16), {x});
       const auto second = g.add("second", op, {x, first});
       const auto third = g.add("third", op, {second, first});
       g.outputs.push_back(third);
       g.add("last", op, {third, third});
     }},
    {"coordinates, alone and with a residual", 16,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = same_size(d, "a", 16, 20);
       op.coordinate_weight = d.constant("xy", {20, 2, 3, 3});
       const auto first = g.add("first", op, {x});
       auto next = same_size(d, "b", 16, 20);
       next.coordinate_weight = op.coordinate_weight;
       next.residual = true;
       g.add("last", next, {x, first});
     }},
    {"a kernel 1 high with padding, so that rows of the output see none of the input: a residual, coordinates", 16,
     [](Graph& g, ValueId x, Dice& d) {
       const auto flat = [&](const char* name) {
         graph::Conv op = d.conv(name, 16, 16, 1);
         op.weight = d.constant(std::string(name) + ".flat", {16, 16, 1, 2});
         op.padding = 1;
         return op;
       };
       auto with_residual = flat("a"), with_both = flat("b");
       with_residual.residual = with_both.residual = true;
       with_residual.activation = Activation::relu;
       with_both.coordinate_weight = d.constant("xy", {16, 2, 1, 2});
       const auto first = g.add("first", flat("first"), {x}), second = g.add("second", flat("second"), {x});
       g.outputs.push_back(g.add("a", with_residual, {x, first}));
       g.add("b", with_both, {x, second});
     }},
    {"a wide layer, by rule in halves: coordinates, a residual, of a slice and to one", 160,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = same_size(d, "c", 128, 128);
       op.activation = Activation::relu;
       op.coordinate_weight = d.constant("xy", {128, 2, 3, 3});
       op.residual = true;
       const auto slice = g.add("slice", graph::Slice{32, 128}, {x});
       g.outputs.push_back(g.add("c", op, {slice, g.add("first", same_size(d, "first", 128, 128), {slice})}));
       g.add("end", graph::Slice{48, 80}, {g.outputs.back()});
     }},
    {"a layer of 256 channels, by rule by its inputs: coordinates, a residual, of a slice", 288,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = same_size(d, "c", 256, 64);
       op.activation = Activation::relu;
       op.coordinate_weight = d.constant("xy", {64, 2, 3, 3});
       op.residual = true;
       const auto slice = g.add("slice", graph::Slice{32, 256}, {x});
       g.add("c", op, {slice, g.add("first", same_size(d, "first", 256, 64), {slice})});
     }},
    {"groups of whole blocks", 64, [](Graph& g, ValueId x, Dice& d) { g.add("c", grouped(d, 64, 128, 2), {x}); }},
    {"groups with ragged outputs", 64, [](Graph& g, ValueId x, Dice& d) { g.add("c", grouped(d, 64, 40, 4), {x}); }},
    {"groups with ragged outputs, aggregated", 64,
     [](Graph& g, ValueId x, Dice& d) {
       g.add("a", graph::AggregateLogits{}, {g.add("c", grouped(d, 64, 40, 4), {x}), x});
     }},
    {"many narrow groups", 64,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = grouped(d, 64, 64, 16);
       op.stride = 2;
       op.activation = Activation::relu;
       g.add("c", op, {x});
     }},
    {"many narrow groups, ragged, with a residual", 36,
     [](Graph& g, ValueId x, Dice& d) {
       auto op = grouped(d, 36, 36, 9);
       op.residual = true;
       g.add("c", op, {g.add("b", same_size(d, "b", 36, 36, 1), {x}), x});
     }},
    {"slices of one convolution, read by convolutions", 16,
     [](Graph& g, ValueId x, Dice& d) {
       const auto both = g.add("both", same_size(d, "both", 16, 64), {x});
       const auto left = g.add("left", graph::Slice{0, 32}, {both}),
                  right = g.add("right", graph::Slice{32, 32}, {both});
       auto op = same_size(d, "c", 32, 32);
       op.residual = true;
       g.add("c", op, {left, right});
     }},
    {"ragged slices", 40,
     [](Graph& g, ValueId x, Dice&) {
       g.outputs.push_back(g.add("middle", graph::Slice{5, 20}, {x}));
       g.outputs.push_back(g.add("end", graph::Slice{32, 8}, {x}));
       g.add("start", graph::Slice{0, 7}, {x});
     }},
    {"batch norm", 21, [](Graph& g, ValueId x, Dice& d) { g.add("n", d.batch_norm("n", 21), {x}); }},
    {"relu", 21, [](Graph& g, ValueId x, Dice&) { g.add("r", graph::Activate{Activation::relu}, {x}); }},
    {"leaky ReLU", 21, [](Graph& g, ValueId x, Dice&) { g.add("l", graph::Activate{Activation::leaky_relu}, {x}); }},
    {"GELU", 21, [](Graph& g, ValueId x, Dice&) { g.add("g", graph::Activate{Activation::gelu}, {x}); }},
    {"layer norms of a map, of a slice and of a list", 40,
     [](Graph& g, ValueId x, Dice& d) {
       const auto norm = [&](const std::string& name, std::int64_t channels) {
         return graph::LayerNorm{d.constant(name + ".weight", {channels}), d.constant(name + ".bias", {channels}),
                                 0.125, Activation::gelu};
       };
       g.outputs.push_back(g.add("map", norm("map", 40), {x}));
       g.outputs.push_back(g.add("slice", norm("slice", 24), {g.add("end", graph::Slice{16, 24}, {x})}));
       const auto maps = g.add("iam", same_size(d, "iam", 40, 5), {x});
       const auto normed = g.add("list", norm("list", 40), {g.add("rows", graph::Aggregate{}, {maps, x})});
       g.add("kernels", d.linear("kernels", 40, 3), {normed});
     }},
    {"group norms of a map and of a slice, before a convolution over their padding", 40,
     [](Graph& g, ValueId x, Dice& d) {
       const auto norm = [&](const std::string& name, std::int64_t channels, int groups, Activation activation) {
         graph::GroupNorm op{d.constant(name + ".weight", {channels}), d.constant(name + ".bias", {channels})};
         op.groups = groups, op.epsilon = 0.125, op.activation = activation;
         return op;
       };
       const auto map = g.add("map", norm("map", 40, 8, Activation::sigmoid), {x});
       g.outputs.push_back(map);
       g.outputs.push_back(g.add("c", same_size(d, "c", 40, 4), {map}));
       g.add("slice", norm("slice", 24, 1, Activation::relu), {g.add("end", graph::Slice{16, 24}, {x})});
     }},
    {"rows of lists, joined and taken, of parameters as well", 12,
     [](Graph& g, ValueId x, Dice& d) {
       const auto list = g.add("list", graph::Aggregate{}, {g.add("iam", same_size(d, "iam", 12, 5), {x}), x});
       const auto learned = g.add("learned", graph::Parameter{d.constant("learned", {3, 12})}, {});
       const auto joined = g.add("joined", graph::ConcatRows{}, {list, learned, list});
       const auto middle = g.add("middle", graph::SliceRows{4, 6}, {joined});
       g.outputs.push_back(g.add("scores", d.linear("scores", 12, 4), {middle}));
       g.outputs.push_back(g.add("of learned", graph::SliceRows{1, 2}, {learned}));
       g.outputs.push_back(g.add("all rows", graph::SliceRows{0, 5}, {list}));
       const auto two = g.add("two", graph::SliceRows{1, 2}, {learned});
       g.outputs.push_back(
           g.add("masks", graph::MaskProduct{}, {g.add("kernels", d.linear("kernels", 12, 12), {two}), x}));
       g.add("sum", graph::Add{}, {middle, middle});
     }},
    {"a learned map at two sizes, added and gathered, and kept", 12,
     [](Graph& g, ValueId x, Dice& d) {
       const auto value = d.constant("learned", {1, 12, 3, 4});
       const auto map = g.add("map", graph::ParameterMap{value}, {x});
       const auto small =
           g.add("small", graph::ParameterMap{value}, {g.add("pool", graph::AdaptiveAveragePool{2}, {x})});
       g.outputs.push_back(g.add("sum", graph::Add{}, {x, map}));
       graph::Conv scoring;
       scoring.weight = d.irregular("scoring", {9, 12, 1, 1});
       const auto scores = g.add("scores", graph::ProposalScores{}, {g.add("scoring", scoring, {x})});
       const auto top = g.add_several("top", graph::SelectTop{1}, {scores}, {"positions", "best"});
       g.outputs.push_back(small);
       g.add("rows", graph::GatherPositions{}, {map, top[0]});
     }},
    {"attention under masks, of as many queries and of fewer", 32,
     [](Graph& g, ValueId x, Dice& d) {
       graph::Attention masked{2};
       masked.masked = true;
       const auto list = g.add("list", graph::Parameter{d.constant("list", {37, 32})}, {});
       const auto logits = g.add("logits", same_size(d, "logits", 32, 37, 1), {x});  // exact, so that signs are
       g.outputs.push_back(g.add("all", masked, {list, x, x, logits}));
       g.add("some", masked, {list, x, x, g.add("first", graph::Slice{0, 19}, {logits})});
     }},
    {"attention of maps, of slices, and of a list to a map", 64,
     [](Graph& g, ValueId x, Dice& d) {
       const auto keys = g.add("keys", graph::AdaptiveAveragePool{3}, {x});
       g.outputs.push_back(g.add("maps", graph::Attention{2}, {x, keys, keys}));
       const auto low = g.add("low", graph::Slice{0, 32}, {x}), high = g.add("high", graph::Slice{32, 32}, {x});
       g.outputs.push_back(g.add("slices", graph::Attention{2}, {low, high, x}));
       const auto list = g.add("list", graph::Parameter{d.constant("list", {7, 64})}, {});
       const auto read = g.add("read", graph::Attention{4}, {list, x, x});
       g.outputs.push_back(g.add("itself", graph::Attention{1}, {read, read, read}));
       g.add("narrow heads", graph::Attention{8}, {low, low, low});
     }},
    {"sigmoid, then a convolution over its padding", 21,
     [](Graph& g, ValueId x, Dice& d) {
       g.add("c", same_size(d, "c", 21, 4), {g.add("s", graph::Activate{Activation::sigmoid}, {x})});
     }},
    {"sum", 21,
     [](Graph& g, ValueId x, Dice&) {
       g.add("a", graph::Add{}, {x, x});
     }},
    {"max pool", 21, [](Graph& g, ValueId x, Dice&) { g.add("p", graph::MaxPool{}, {x}); }},
    {"max pool of a slice", 48,
     [](Graph& g, ValueId x, Dice&) {
       g.add("p", graph::MaxPool{}, {g.add("s", graph::Slice{16, 32}, {x})});
     }},
    {"average pools, of a slice as well", 48,
     [](Graph& g, ValueId x, Dice&) {
       g.outputs.push_back(g.add("a", graph::AveragePool{}, {x}));
       g.add("p", graph::AveragePool{3, 2}, {g.add("s", graph::Slice{16, 32}, {x})});
     }},
    {"adaptive pools and their sum", 20,
     [](Graph& g, ValueId x, Dice&) {
       std::vector<ValueId> pools;
       for (const int size : {1, 2, 3, 6})
         pools.push_back(g.add("p" + std::to_string(size), graph::AdaptiveAveragePool{size}, {x}));
       pools.push_back(x);
       g.add("r", graph::ResizeBilinear{}, pools);
     }},
    {"nearest", 20, [](Graph& g, ValueId x, Dice&) { g.add("u", graph::UpsampleNearest{3}, {x}); }},
    {"bilinear by 2", 20, [](Graph& g, ValueId x, Dice&) { g.add("u", graph::ResizeBilinear{2.0}, {x}); }},
    {"bilinear by 1.7", 20, [](Graph& g, ValueId x, Dice&) { g.add("u", graph::ResizeBilinear{1.7}, {x}); }},
    {"concat with coordinates", 20,
     [](Graph& g, ValueId x, Dice& d) {
       const auto xy = g.add("xy", graph::Coordinates{}, {x});
       g.add("c", same_size(d, "c", 42, 9), {g.add("all", graph::Concat{}, {xy, x, x})});
     }},
    {"normalised and softmax maps", 20,
     [](Graph& g, ValueId x, Dice&) {
       const auto maps = g.add("s", graph::Activate{Activation::sigmoid}, {x});
       g.outputs.push_back(g.add("n", graph::NormaliseMaps{}, {maps}));
       g.outputs.push_back(g.add("a", graph::Aggregate{}, {maps, x}));
       g.add("m", graph::SoftmaxMaps{}, {x});
     }},
    {"aggregation of logits", 37,
     [](Graph& g, ValueId x, Dice& d) {
       const auto maps = g.add("iam", same_size(d, "iam", 37, 19), {x});
       g.outputs.push_back(g.add("sigmoid", graph::AggregateLogits{false, 1e-6}, {maps, x}));
       g.add("softmax", graph::AggregateLogits{true, 1e-6}, {maps, x});
     }},
    {"lists: aggregate, regroup, linear, mask product", 16,
     [](Graph& g, ValueId x, Dice& d) {
       const auto maps = g.add("iam", same_size(d, "iam", 16, 20), {x});
       const auto list = g.add("list", graph::AggregateLogits{}, {maps, x});      // [20, 16]
       const auto grouped_list = g.add("grouped", graph::Regroup{4, 5}, {list});  // [5, 64]
       auto fc = d.linear("fc", 64, 30);
       fc.activation = Activation::relu;
       const auto hidden = g.add("fc", fc, {grouped_list});
       auto scores = d.linear("scores", 30, 1);
       scores.activation = Activation::sigmoid;
       g.outputs.push_back(g.add("scores", scores, {hidden}));
       g.outputs.push_back(g.add("half", graph::Slice{3, 9}, {hidden}));
       g.outputs.push_back(g.add("twice", graph::Add{}, {hidden, hidden}));
       const auto plain = g.add("kernels", d.linear("kernels", 30, 16), {hidden});
       const auto offset = g.add("kernels_offset", d.linear("kernels_offset", 30, 17), {hidden});
       g.outputs.push_back(g.add("masks", graph::MaskProduct{false}, {plain, x}));
       g.add("masks_offset", graph::MaskProduct{true}, {offset, x});
     }},
    {"queries: learned, kept as they are, and selected", 12,
     [](Graph& g, ValueId x, Dice& d) {
       const auto learned = g.add("learned", graph::Parameter{d.constant("learned", {7, 5})}, {});
       const auto kernels = g.add("kernels", d.linear("kernels", 5, 12), {learned});
       g.outputs.push_back(g.add("masks", graph::MaskProduct{}, {kernels, x}));
       g.outputs.push_back(g.add("kept", graph::Parameter{d.constant("kept", {3, 4})}, {}));
       graph::Conv scoring;
       scoring.weight = d.irregular("scoring", {9, 12, 1, 1});
       const auto scores = g.add("scores", graph::ProposalScores{}, {g.add("scoring", scoring, {x})});
       const auto top = g.add_several("top", graph::SelectTop{1}, {scores}, {"positions", "best"});
       g.outputs.insert(g.outputs.end(), top.begin(), top.end());
       g.add("rows", graph::GatherPositions{}, {x, top[0]});
     }},
};

Graph graph_of(const Case& c, Dice& dice) {
  Graph g;
  const ValueId x = g.add("input", graph::Input{c.channels}, {});
  c.build(g, x, dice);
  g.outputs.push_back(g.nodes.back().output());
  return g;
}

void compare(const Graph& g, const std::vector<Map>& values, const DeviceRun& run, double bound) {
  REQUIRE(run.outputs.size() == g.outputs.size());
  for (const ValueId output : g.outputs) {
    const std::string& name = g.values[static_cast<std::size_t>(output)].name;
    const double found = distance(run.outputs.at(name), values[static_cast<std::size_t>(output)]);
    INFO("output " << name << ": relative rms distance " << found << ", bound " << bound);
    CHECK(found <= bound);
  }
}

/// A few sums of up to 600 products one after the other, each within about sqrt(600) units of rounding, 4 times that
/// for Winograd's transforms.
constexpr double kFp32Bound = 0x1p-24 * 25 * 4;

}  // namespace

TEST_CASE("every operation computes what the interpreter computes, algorithms measured or chosen by rule", "[cpu]") {
  const auto rule = GENERATE(false, true);
  const Tuning tuning(rule ? "0" : "1");
  cpu::CpuDevice device;
  std::set<std::string> algorithms;
  for (const Case& c : cases) {
    for (const auto& [batch, height, width] :
         std::vector<std::tuple<int, int, int>>{{1, 9, 12}, {3, 7, 6}, {2, 1, 1}, {1, 17, 33}}) {
      INFO(c.name << ", " << batch << "x" << height << "x" << width);
      Dice dice(7);
      const Graph g = graph_of(c, dice);
      const Map input = dice.map({batch, height, width, c.channels, false});
      const std::vector<Map> values = interpret(g, input);
      const auto network = device.prepare(g, Precision::fp32);
      for (const int threads : {1, 2}) {
        const DeviceRun run = run_on_cpu(*network, input, threads);
        compare(g, values, run, kFp32Bound);
        algorithms.insert(run.algorithms.begin(), run.algorithms.end());
      }
    }
  }
  // Where there is Winograd at all, the rule takes all ways to split a convolution.
  const bool winograd = std::any_of(algorithms.begin(), algorithms.end(),
                                    [](const std::string& name) { return name.starts_with("conv winograd"); });
  if (rule && winograd) CHECK(algorithms.count("conv winograd fp32 by half") == 1);
  if (rule && winograd) CHECK(algorithms.count("conv winograd fp32 by inputs") == 1);
  if (rule && winograd) CHECK(algorithms.count("conv direct fp32 by group") == 1);
}

TEST_CASE("a network computes what the interpreter computes, plain, rewritten and with every value kept", "[cpu]") {
  cpu::CpuDevice device;
  for (const bool softmax : {false, true}) {
    Dice dice(11);
    const Graph plain = small_sparse_inst(dice, softmax);
    for (const bool rewrites : {false, true}) {
      for (const bool keep : {false, true}) {
        Graph g = plain;
        if (keep)
          for (std::size_t v = 1; v < g.values.size(); ++v)
            if (!g.is_output(static_cast<ValueId>(v))) g.outputs.push_back(static_cast<ValueId>(v));
        if (rewrites) graph::rewrite(g);
        const auto network = device.prepare(g, Precision::fp32);
        for (const auto& [batch, height, width] : std::vector<std::tuple<int, int, int>>{{1, 64, 96}, {2, 32, 64}}) {
          INFO("softmax " << softmax << ", rewrites " << rewrites << ", keep " << keep << ", batch " << batch);
          const Map input = dice.map({batch, height, width, 3, false});
          // Rounding passes through thirty layers, which enlarge it as they enlarge what they compute.
          compare(g, interpret(g, input), run_on_cpu(*network, input, 2), 10 * kFp32Bound);
        }
      }
    }
  }
}

TEST_CASE("the same program gives the same bits each time", "[cpu]") {
  Dice dice(13);
  Graph g = small_sparse_inst(dice);
  graph::rewrite(g);
  cpu::CpuDevice device;
  const auto network = device.prepare(g, Precision::fp32);
  const Map input = dice.map({1, 64, 64, 3, false});
  const DeviceRun first = run_on_cpu(*network, input, 2), second = run_on_cpu(*network, input, 2);
  CHECK(first.algorithms == second.algorithms);
  for (const auto& [name, map] : first.outputs) CHECK(map.data == second.outputs.at(name).data);
}

TEST_CASE("programs of one network share its prepared weights", "[cpu]") {
  Dice dice(17);
  cpu::CpuDevice device;
  Graph g;
  const ValueId x = g.add("input", graph::Input{16}, {});
  g.outputs.push_back(g.add("c", same_size(dice, "c", 16, 16, 1), {x}));
  const auto network = device.prepare(g, Precision::fp32);
  CHECK(network->memory().prepared_weights == 0);
  network->compile(1, 8, 8, 1);
  const std::size_t once = network->memory().prepared_weights;
  CHECK(once >= 16 * 16 * sizeof(float));
  network->compile(2, 16, 8, 1);
  CHECK(network->memory().prepared_weights == once);
}

TEST_CASE("a step's bound is the larger of its arithmetic and its bytes, at the rates of where they come from") {
  const PeakRates peak = {1000, 10, 100, 50};
  Step step;
  step.flops = 4000;
  step.bytes = 20;
  CHECK(least_seconds(step, peak) == 4);
  step.least_flops = 100;  // 20 bytes from the cache take longer
  CHECK(least_seconds(step, peak) == Approx(20.0 / 50));
  step.bytes = 200;  // more than the cache holds
  CHECK(least_seconds(step, peak) == 20);
  CHECK(least_seconds(step, {}) == 0);
  CHECK(least_seconds(step, {1000, 100}) == 2);
}

TEST_CASE("what bounds a convolution: the products of its algorithm, in the type that it multiplies", "[cpu]") {
  Dice dice(19);
  cpu::CpuDevice device;
  Graph g;
  const ValueId x = g.add("input", graph::Input{64}, {});
  g.outputs.push_back(g.add("c", same_size(dice, "c", 64, 64), {x}));
  const auto network = device.prepare(g, Precision::fp32);
  network->measure_nothing();
  const Program program = network->compile(1, 64, 64, 1);
  constexpr double flops = 2.0 * 64 * 64 * 64 * 64 * 9;
  bool found = false;
  for (const Step& step : program.steps) {
    if (step.operation != "conv") continue;
    found = true;
    CHECK(step.flops == flops);
    CHECK(step.arithmetic == Precision::fp32);
    const bool winograd = step.algorithm.find("winograd") != std::string::npos;
    CHECK(step.least_flops.value_or(flops) == (winograd ? flops / 4 : flops));
    CHECK(step.bytes >= 4.0 * 2 * 64 * 64 * 64);
  }
  CHECK(found);
}

TEST_CASE("steps are of the modules of their nodes, reorders of those of their values", "[cpu]") {
  Dice dice(23);
  cpu::CpuDevice device;
  Graph g;
  // A picture's few channels lie in planes, and so does what is resized for looking at it; others read blocks.
  const ValueId x = g.add("input", graph::Input{3}, {});
  const ValueId first = g.add("backbone.c", same_size(dice, "a", 3, 16), {x});
  const ValueId large = g.add("backbone.resize", graph::ResizeBilinear{2}, {first});
  const ValueId last = g.add("head.c", same_size(dice, "b", 16, 16), {large});
  g.outputs = {last, g.add("side.pool", graph::AdaptiveAveragePool{2}, {x})};
  const auto network = device.prepare(g, Precision::fp32);
  network->measure_nothing();
  std::set<std::string> found;
  for (const Step& step : network->compile(1, 64, 64, 1).steps) found.insert(step.module + ": " + step.name);
  CAPTURE(found);
  for (const char* step : {"backbone: backbone.resize", "backbone: reorder backbone.resize", "head: head.c",
                           "side: side.pool", "side: reorder input"})
    CHECK(found.contains(step));
}

TEST_CASE("the processor's rates are measured once for each precision and number of threads", "[cpu]") {
  cpu::CpuDevice device;
  const PeakRates peak = device.peak(Precision::fp32, 3);
  CHECK(peak.flops > 0);
  CHECK(peak.bytes > 0);
  CHECK(peak.cached_bytes >= peak.bytes);
  CHECK(peak.cache > 0);
  const PeakRates again = device.peak(Precision::fp32, 3);
  CHECK(again.flops == peak.flops);
  CHECK(again.bytes == peak.bytes);
  CHECK(device.peak(Precision::bf16, 1).flops > 0);
}

TEST_CASE("a graph that breaks its rules is refused", "[cpu]") {
  Graph g;
  g.add("input", graph::Input{3}, {});
  g.nodes.push_back({"add", graph::Add{}, {5, 6}, {0}});
  CHECK_THROWS_AS(cpu::CpuDevice().prepare(g, Precision::fp32), Error);
}
