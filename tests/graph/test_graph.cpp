// The IR's own functions: its rules, shapes, costs and listing.
#include <algorithm>
#include <catch2/catch.hpp>

#include "graph/print.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

std::string error_of(const Graph& graph, std::int64_t height = 32, std::int64_t width = 48) {
  try {
    infer_extents(graph, 2, height, width);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

/// The extent of the last node, which reads a map [2, 32, 48, 4] and a list [2, 4, 4].
std::string shape_of(Operation operation, std::vector<int> inputs = {0}) {
  Graph g;
  const auto x = g.add("x", Input{4}, {});
  const auto list = g.add("list", Aggregate{}, {x, x});
  const auto half = g.add("half", MaxPool{2, 2, 0}, {x});
  const std::vector<ValueId> values = {x, list, half};
  std::vector<ValueId> ids;
  for (const int i : inputs) ids.push_back(values[static_cast<std::size_t>(i)]);
  g.outputs = {g.add("node", std::move(operation), ids)};
  const auto error = error_of(g);
  return error.empty() ? to_text(infer_extents(g, 2, 32, 48)[static_cast<std::size_t>(g.outputs[0])]) : error;
}

Conv conv(Shape weight, int stride = 1, int padding = 0, int dilation = 1, int groups = 1) {
  Conv result;
  result.weight = make_constant("weight", weight, std::vector<float>(static_cast<std::size_t>(elements(weight))));
  result.stride = stride, result.padding = padding, result.dilation = dilation, result.groups = groups;
  return result;
}

}  // namespace

TEST_CASE("shapes of every operation") {
  CHECK(shape_of(conv({6, 4, 3, 3}, 2, 1)) == "[2, 16, 24, 6]");
  CHECK(shape_of(conv({6, 4, 3, 5}, 1, 0, 2)) == "[2, 28, 40, 6]");
  CHECK(shape_of(conv({6, 2, 7, 7}, 2, 3, 1, 2)) == "[2, 16, 24, 6]");
  CHECK(shape_of(MaxPool{3, 2, 1}) == "[2, 16, 24, 4]");
  CHECK(shape_of(AdaptiveAveragePool{6}) == "[2, 6, 6, 4]");
  CHECK(shape_of(UpsampleNearest{3}) == "[2, 96, 144, 4]");
  CHECK(shape_of(ResizeBilinear{1.3}) == "[2, 41, 62, 4]");
  CHECK(shape_of(ResizeBilinear{}, {0, 0, 2}) == "[2, 16, 24, 4]");
  CHECK(shape_of(Concat{}, {0, 0, 0}) == "[2, 32, 48, 12]");
  CHECK(shape_of(Slice{1, 2}) == "[2, 32, 48, 2]");
  CHECK(shape_of(Slice{1, 2}, {1}) == "[2, 4, 2]");
  CHECK(shape_of(Coordinates{}) == "[2, 32, 48, 2]");
  CHECK(shape_of(Aggregate{}, {0, 0}) == "[2, 4, 4]");
  CHECK(shape_of(AggregateLogits{}, {0, 0}) == "[2, 4, 4]");
  CHECK(shape_of(Regroup{2, 2}, {1}) == "[2, 2, 8]");
  CHECK(shape_of(Linear{make_constant("w", {7, 4}, std::vector<float>(28)), nullptr}, {1}) == "[2, 4, 7]");
  CHECK(shape_of(MaskProduct{}, {1, 2}) == "[2, 16, 24, 4]");
  CHECK(shape_of(NormaliseMaps{}) == "[2, 32, 48, 4]");
  CHECK(shape_of(SoftmaxMaps{}) == "[2, 32, 48, 4]");
  CHECK(shape_of(ProposalScores{}) == "[2, 1536, 1]");
  CHECK(shape_of(Parameter{make_constant("p", {7, 3}, std::vector<float>(21))}, {}) == "[2, 7, 3]");
}

TEST_CASE("inputs that do not fit are errors that name the node, what it expects and what it found") {
  CHECK_THAT(shape_of(conv({6, 3, 3, 3})),
             Catch::Contains("node node (conv): expected 3 channels, found x [2, 32, 48, 4]"));
  CHECK_THAT(shape_of(conv({6, 4, 3, 3}, 1, 0, 24)), Catch::Contains("window of 49"));
  CHECK_THAT(shape_of(conv({6, 4, 1, 1}), {1}), Catch::Contains("expected a map, found the list list [2, 4, 4]"));
  CHECK_THAT(shape_of(Add{}, {0, 2}), Catch::Contains("one shape") && Catch::Contains("half [2, 16, 24, 4]"));
  CHECK_THAT(shape_of(Concat{}, {0, 2}), Catch::Contains("one batch, height and width"));
  CHECK_THAT(shape_of(Slice{3, 2}), Catch::Contains("at least 5 channels"));
  CHECK_THAT(shape_of(Aggregate{}, {0, 2}), Catch::Contains("one batch, height and width"));
  CHECK_THAT(shape_of(Regroup{3, 2}, {1}), Catch::Contains("3 blocks of 2"));
  CHECK_THAT(shape_of(Linear{make_constant("w", {7, 5}, std::vector<float>(35)), nullptr}, {1}),
             Catch::Contains("5 channels"));
  CHECK_THAT(shape_of(Linear{make_constant("w", {7, 4}, std::vector<float>(28)), nullptr}), Catch::Contains("list"));
  CHECK_THAT(shape_of(MaskProduct{true}, {1, 2}), Catch::Contains("kernels of 5 numbers"));
  auto residual = conv({6, 4, 1, 1});
  residual.residual = true;
  CHECK_THAT(shape_of(residual, {0, 0}), Catch::Contains("residual of the output's shape [2, 32, 48, 6]"));
  CHECK_THAT(shape_of(Slice{1ll << 20, 1ll << 20}), Catch::Contains("channels"));
}

TEST_CASE("positions are integers, which nothing else reads") {
  Graph g;
  const auto x = g.add("x", Input{4}, {});
  const auto scores = g.add("scores", ProposalScores{}, {x});
  const auto top = g.add_several("top", SelectTop{5}, {scores}, {"positions", "best"});
  const auto rows = g.add("rows", GatherPositions{}, {x, top[0]});
  g.outputs = {rows};
  const auto extents = infer_extents(g, 2, 32, 48);
  CHECK(to_text(extents[static_cast<std::size_t>(top[0])]) == "[2, 5, 1] int32");
  CHECK(to_text(extents[static_cast<std::size_t>(top[1])]) == "[2, 5, 1]");
  CHECK(to_text(extents[static_cast<std::size_t>(rows)]) == "[2, 5, 4]");
  CHECK_THAT(to_text(g, extents), Catch::Contains("top = positions, best") && Catch::Contains("[2, 5, 1] int32, [2,"));
  // Positions have 4 bytes in every precision; of x as much is read as is written.
  CHECK(cost_of(g, g.nodes[3], extents, 2).bytes == 2.0 * 2 * (2 * 5 * 4) + 4.0 * (2 * 5));
  CHECK(cost_of(g, g.nodes[2], extents, 2).bytes == 2.0 * (2 * 32 * 48) + (4.0 + 2.0) * (2 * 5));

  SECTION("an operation on numbers") {
    g.add("sum", Add{}, {top[0], top[0]});
    CHECK_THAT(error_of(g), Catch::Contains("node sum (add): expected numbers, found positions [2, 5, 1] int32"));
  }
  SECTION("numbers for positions") {
    g.nodes[3].inputs[1] = top[1];
    CHECK_THAT(error_of(g), Catch::Contains("node rows (gather_positions): expected integers, found best [2, 5, 1]"));
  }
  SECTION("a map that only lends its size") {
    g.add("like", ResizeBilinear{}, {x, scores});
    CHECK_THAT(error_of(g), Catch::Contains("expected a map"));
  }
  SECTION("more than there are") {
    std::get<SelectTop>(g.nodes[2].operation).count = 1537;
    CHECK_THAT(error_of(g), Catch::Contains("expected at least 1537 positions, found scores [2, 1536, 1]"));
  }
  SECTION("more than an integer that callers see may name") {
    CHECK_THROWS_WITH(infer_extents(g, 1, 4097, 4096), Catch::Contains("at most 16777216 positions"));
  }
  SECTION("of more than one channel") {
    g.nodes[2].inputs[0] = x;
    CHECK_THAT(error_of(g), Catch::Contains("expected 1 channels"));
  }
  SECTION("of another batch") {
    g.nodes[3].inputs[0] = g.add("p", Parameter{make_constant("p", {7, 3}, std::vector<float>(21))}, {});
    std::swap(g.nodes[3], g.nodes[4]);
    CHECK(to_text(infer_extents(g, 2, 32, 48)[static_cast<std::size_t>(rows)]) == "[2, 5, 3]");
  }
}

TEST_CASE("a node lives while one of its values is needed, and each value has its readers") {
  Graph g;
  const auto x = g.add("x", Input{1}, {});
  const auto top = g.add_several("top", SelectTop{5}, {x}, {"positions", "best"});
  const auto unread = g.add_several("unread", SelectTop{3}, {x}, {"", "other"});
  g.outputs = {top[1]};
  CHECK(g.producer(top[0]) == 1);
  CHECK(g.producer(top[1]) == 1);
  CHECK(g.consumers(x) == std::vector<int>{1, 2});
  CHECK_THROWS_WITH(g.nodes[1].output(), Catch::Contains("node top (select_top): expected one output, found 2"));
  CHECK_THROWS_WITH(g.add("one", SelectTop{3}, {x}),
                    Catch::Contains("node one (select_top): expected names for its 2 outputs, found 1"));
  CHECK_THROWS_WITH(g.add_several("two", Add{}, {x, x}, {"a", "b"}), Catch::Contains("its 1 outputs, found 2"));
  g.remove_dead_nodes();
  REQUIRE(g.nodes.size() == 2);
  CHECK(g.nodes[1].outputs == top);
  CHECK(g.producer(unread[1]) == -1);
  CHECK(to_text(g) ==
        "name                     operation         reads\n"
        "x                        input 1 channels\n"
        "top = positions, best *  select_top 5      x\n");

  const auto broken = [&] {
    try {
      check(g);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(broken().empty());
  SECTION("fewer values than the operation makes") {
    g.nodes[1].outputs.pop_back();
    g.outputs.clear();
    CHECK_THAT(broken(), Catch::Contains("node top (select_top): expected 2 outputs, found 1"));
  }
  SECTION("one value twice") {
    g.nodes[1].outputs[0] = top[1];
    CHECK_THAT(broken(), Catch::Contains("found value best, which is made already"));
  }
}

TEST_CASE("a hostile model overflows nothing") {
  Graph g;
  auto x = g.add("x", Input{4}, {});
  for (int i = 0; i < 12; ++i) x = g.add("grow" + std::to_string(i), UpsampleNearest{64}, {x});
  g.outputs = {x};
  CHECK_THAT(error_of(g), Catch::Contains("node grow") && Catch::Contains("at most 2^40 elements"));

  Graph wide;
  x = wide.add("x", Input{1 << 20}, {});
  for (int i = 0; i < 12; ++i) x = wide.add("join" + std::to_string(i), Concat{}, std::vector<ValueId>(64, x));
  wide.outputs = {x};
  CHECK_THAT(error_of(wide, 1, 1), Catch::Contains("node join0"));
  CHECK_THROWS_WITH(infer_extents(wide, 1, 1 << 20, 1 << 20), Catch::Contains("input"));
  CHECK_THROWS_WITH(infer_extents(wide, 0, 1, 1), Catch::Contains("input"));
  CHECK_THROWS_WITH(infer_extents(wide, 1, -1, 1), Catch::Contains("input"));
  CHECK_THROWS_WITH(infer_extents(wide, 1, 1, std::int64_t{1} << 62), Catch::Contains("input"));
}

TEST_CASE("check finds what breaks the rules") {
  Dice dice(1);
  Graph g;
  const auto x = g.add("x", Input{4}, {});
  const auto y = g.add("y", dice.conv("y", 4, 4, 3), {x});
  g.outputs = {y};
  auto& layer = std::get<Conv>(g.nodes[1].operation);
  REQUIRE_NOTHROW(check(g));
  const auto broken = [&] {
    try {
      check(g);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  SECTION("no weight") {
    layer.weight = nullptr;
    CHECK_THAT(broken(), Catch::Contains("expected a weight, found none"));
  }
  SECTION("a bias of another length") {
    layer.bias = dice.constant("bias", {5});
    CHECK_THAT(broken(), Catch::Contains("expected bias bias of shape [4], found [5]"));
  }
  SECTION("a coordinate term of another window") {
    layer.coordinate_weight = dice.constant("c", {4, 2, 1, 1});
    CHECK_THAT(broken(), Catch::Contains("[4, 2, 3, 3]"));
  }
  SECTION("a flat weight") {
    layer.weight = dice.constant("flat", {4, 4});
    CHECK_THAT(broken(), Catch::Contains("found shape [4, 4]"));
  }
  SECTION("groups that do not divide") {
    layer.groups = 3;
    CHECK_THAT(broken(), Catch::Contains("groups"));
  }
  SECTION("a residual that is not there") {
    layer.residual = true;
    CHECK_THAT(broken(), Catch::Contains("expected 2 inputs, found 1"));
  }
  SECTION("a value that comes later") {
    g.nodes[1].inputs = {y};
    CHECK_THAT(broken(), Catch::Contains("before it make, found value y"));
  }
  SECTION("a value that does not exist") {
    g.nodes[1].inputs = {7};
    CHECK_THAT(broken(), Catch::Contains("no such value"));
  }
  SECTION("more inputs than any network has") {
    g.add("concat", Concat{}, std::vector<ValueId>(65, x));
    CHECK_THAT(broken(), Catch::Contains("expected 1 to 64 inputs, found 65"));
  }
  SECTION("two nodes of one value") {
    g.nodes.push_back(g.nodes[1]);
    CHECK_THAT(broken(), Catch::Contains("which is made already"));
  }
  SECTION("two values of one name") {
    g.add("z", Activate{}, {y}, "x");
    CHECK_THAT(broken(), Catch::Contains("two named x"));
  }
  SECTION("an output that nothing makes") {
    g.outputs.push_back(9);
    CHECK_THAT(broken(), Catch::Contains("no such value"));
  }
  SECTION("a second input, or none") {
    g.add("again", Input{3}, {});
    CHECK_THAT(broken(), Catch::Contains("expected one input"));
    g.nodes.clear();
    CHECK_THAT(broken(), Catch::Contains("found no node"));
  }
  SECTION("a pool whose windows could miss the map") {
    g.add("pool", MaxPool{2, 2, 2}, {y});
    CHECK_THAT(broken(), Catch::Contains("padding below the kernel size"));
  }
}

TEST_CASE("looking around in a graph") {
  Graph g;
  const auto x = g.add("x", Input{4}, {});
  const auto a = g.add("a", Activate{}, {x}, "first");
  const auto b = g.add("b", Add{}, {a, a});
  const auto dead = g.add("dead", Add{}, {a, b});
  g.outputs = {b};
  CHECK(g.find("first") == a);
  CHECK(g.find("a") == -1);
  CHECK(g.producer(b) == 2);
  CHECK(g.producer(99) == -1);
  CHECK(g.consumers(a) == std::vector<int>{2, 3});
  CHECK(g.consumers(dead).empty());
  CHECK(g.is_output(b));
  CHECK_FALSE(g.is_output(dead));
  g.remove_dead_nodes();
  CHECK(g.nodes.size() == 3);
  CHECK(g.values.size() == 4);
  CHECK(infer_extents(g, 1, 2, 2)[static_cast<std::size_t>(dead)] == Extent{});
  g.outputs = {x};
  g.remove_dead_nodes();
  CHECK(g.nodes.size() == 1);
}

TEST_CASE("cost counts two per multiply-add and every byte that must move") {
  Graph g;
  const auto x = g.add("x", Input{4}, {});
  auto layer = conv({6, 2, 3, 3}, 1, 1, 1, 2);
  layer.bias = make_constant("bias", {6}, std::vector<float>(6));
  const auto y = g.add("y", layer, {x});
  const auto list = g.add("list", AggregateLogits{}, {x, y});
  const auto sized = g.add("sized", ResizeBilinear{}, {y, x});
  const auto slice = g.add("slice", Slice{1, 2}, {y});
  g.outputs = {list, sized, slice};
  const auto extents = infer_extents(g, 1, 8, 10);
  const auto cost = cost_of(g, g.nodes[1], extents);
  CHECK(cost.flops == 2.0 * 80 * 6 * 2 * 9);
  CHECK(cost.bytes == 4.0 * (80 * 4 + 80 * 6 + 6 * 2 * 9 + 6));
  CHECK(cost_of(g, g.nodes[1], extents, 2).bytes == cost.bytes / 2);
  CHECK(cost_of(g, g.nodes[2], extents).flops == 2.0 * 80 * 4 * 6 + 2.0 * 80 * 4);
  CHECK(cost_of(g, g.nodes[3], extents).bytes == 4.0 * (80 * 6 + 80 * 6));  // x lends its size only
  CHECK(cost_of(g, g.nodes[4], extents).bytes == 4.0 * (80 * 2 + 80 * 2));  // a slice reads what it gives
}

TEST_CASE("a listing has one line a node, and columns") {
  Dice dice(1);
  Graph g;
  const auto x = g.add("input", Input{4}, {});
  auto layer = dice.conv("conv", 2, 6, 3);
  layer.groups = 2, layer.stride = 2, layer.activation = Activation::relu;
  const auto y = g.add("conv", layer, {x}, "features");
  g.outputs = {g.add("back", ResizeBilinear{}, {y, x})};
  CHECK(to_text(g) ==
        "name             operation                                       reads\n"
        "input            input 4 channels\n"
        "conv = features  conv 3x3/2 4 -> 6, pad 1, groups 2, bias, relu  input\n"
        "back *           resize_bilinear to the last input's size        features, (input)\n");
  const auto with_shapes = to_text(g, infer_extents(g, 1, 100, 100));
  CHECK_THAT(with_shapes, Catch::Contains("[1, 50, 50, 6]") && Catch::Contains("GFLOP") && Catch::Contains("3 nodes"));
  CHECK(std::count(with_shapes.begin(), with_shapes.end(), '\n') == 5);
}
