// What networks with queries are made of, by definition: the numbers that the interpreter gives for cases made by hand,
// and what is refused.
#include <catch2/catch.hpp>
#include <cmath>

#include "support/interpreter.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

Map filled(Extent extent, std::vector<double> numbers) {
  REQUIRE(static_cast<std::size_t>(extent.elements()) == numbers.size());
  return {extent, std::move(numbers)};
}

/// What an operation makes of values.
Map made(const Operation& operation, const std::vector<Map>& inputs) {
  Graph graph;
  std::vector<Extent> extents;
  std::vector<Map> values = inputs;
  Node node{"node", operation, {}, {static_cast<int>(inputs.size())}};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    graph.values.push_back({"input " + std::to_string(i)});
    node.inputs.push_back(static_cast<int>(i));
    extents.push_back(inputs[i].extent);
  }
  graph.values.push_back({"result"});
  graph.nodes = {node};
  values.emplace_back();
  extents.emplace_back();
  extents.back() = std::visit(
      [&](const auto& op) -> Extent {
        const InputExtents in(graph, graph.nodes[0], extents);
        if constexpr (requires { op.extent(in); }) {
          return op.extent(in);
        } else {
          throw Error("expected an operation of one output");
        }
      },
      operation);
  return interpret_node(graph.nodes[0], values, extents)[0];
}

Operation masked_attention(int heads) {
  Attention attention{heads};
  attention.masked = true;
  return attention;
}

}  // namespace

TEST_CASE("masked attention leaves out keys below 0, unless all are, and none for queries without a mask") {
  // Four queries of one channel, all 0, so that keys count alike; the values are 1, 2 and 4.
  const Map queries = filled({1, 4, 1, 1, true}, {0, 0, 0, 0});
  const Map keys = filled({1, 1, 3, 1}, {5, 6, 7}), values = filled({1, 1, 3, 1}, {1, 2, 4});
  // Logits [position][query]: query 0 sees the last two, query 1 none, which is all; query 2 the first, at exactly 0.
  const Map masks = filled({1, 1, 3, 3}, {-1, -1, 0, 2, -2, -1, 0.5, -3, -1e-9});
  const Map found = made(masked_attention(1), {queries, keys, values, masks});
  CHECK(found.extent == Extent{1, 4, 1, 1, true});
  CHECK(found.data[0] == Approx(3));
  CHECK(found.data[1] == Approx(7.0 / 3));
  CHECK(found.data[2] == Approx(1));
  CHECK(found.data[3] == Approx(7.0 / 3));  // no mask
  // All heads of a query have one mask.
  const Map wide = made(masked_attention(2), {filled({1, 1, 1, 2, true}, {0, 0}), filled({1, 1, 2, 2}, {1, 2, 3, 4}),
                                              filled({1, 1, 2, 2}, {1, 2, 3, 4}), filled({1, 1, 2, 1}, {-1, 1})});
  CHECK(wide.data == std::vector<double>{3, 4});
}

TEST_CASE("masks of attention have the keys' place, and no more channels than there are queries") {
  const Map queries = filled({1, 2, 1, 1, true}, {0, 0}), keys = filled({1, 1, 3, 1}, {5, 6, 7});
  CHECK_THROWS_WITH(made(masked_attention(1), {queries, keys, keys, zeros({1, 3, 1, 1})}),
                    Catch::Contains("expected maps of one batch, height and width"));
  CHECK_THROWS_WITH(made(masked_attention(1), {queries, keys, keys, zeros({1, 1, 3, 3})}),
                    Catch::Contains("expected at most one mask for each query of input 0 [1, 2, 1], found input 3"));
  CHECK(Attention{1}.arity().most == 3);
}

TEST_CASE("group norms normalise each image's groups by themselves") {
  GroupNorm norm;
  norm.weight = make_constant("weight", {4}, {1, 2, 1, 1});
  norm.bias = make_constant("bias", {4}, {0, 1, 0, 3});
  norm.groups = 2, norm.epsilon = 0;
  // Of the first image's first group the mean is 2 and the deviation 2; of its second 10 and 1.
  const Map x = filled({2, 1, 2, 4}, {0, 4, 9, 11, 4, 0, 11, 9, 1, 3, 0, 2, 1, 3, 0, 2});
  const Map found = made(norm, {x});
  const std::vector<double> want = {-1, 3, -1, 4, 1, -1, 1, 2, -1, 3, -1, 4, -1, 3, -1, 4};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(found.data[i] == Approx(want[i]));
  norm.activation = Activation::relu;
  CHECK(made(norm, {x}).data[0] == 0);
  norm.groups = 3;
  Graph graph;
  const ValueId input = graph.add("x", Input{4}, {});
  graph.add("norm", norm, {input});
  CHECK_THROWS_WITH(check(graph), Catch::Contains("expected channels that 3 groups divide, found 4"));
}

TEST_CASE("learned maps are resized to another's size, and rows are joined and taken") {
  const ParameterMap learned{make_constant("learned", {1, 2, 1, 2}, {0, 8, 1, 1})};
  const Map found = made(learned, {zeros({2, 2, 4, 5})});
  CHECK(found.extent == Extent{2, 2, 4, 2});
  for (const std::int64_t b : {0, 1})
    for (const std::int64_t y : {0, 1}) {
      // Centres of four pixels over two: a quarter before the first, then a quarter and three quarters between them.
      for (const auto& [x, want] : {std::pair{0, 0.0}, {1, 2.0}, {2, 6.0}, {3, 8.0}}) CHECK(found(b, y, x, 0) == want);
      CHECK(found(b, y, 2, 1) == 1);
    }

  const Map one = filled({2, 1, 1, 2, true}, {1, 2, 3, 4}),
            two = filled({2, 2, 1, 2, true}, {5, 6, 7, 8, 9, 10, 11, 12});
  const Map joined = made(ConcatRows{}, {one, two});
  CHECK(joined.extent == Extent{2, 3, 1, 2, true});
  CHECK(joined.data == std::vector<double>{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12});
  const Map taken = made(SliceRows{1, 2}, {joined});
  CHECK(taken.data == two.data);
  CHECK_THROWS_WITH(made(SliceRows{2, 2}, {joined}), Catch::Contains("expected at least 4 rows, found input 0"));
  CHECK_THROWS_WITH(made(ConcatRows{}, {one, zeros({2, 1, 1, 3, true})}), Catch::Contains("expected 2 channels"));
  CHECK_THROWS_WITH(made(ConcatRows{}, {one, zeros({1, 1, 1, 2, true})}),
                    Catch::Contains("expected lists of one batch"));
  CHECK_THROWS_WITH(made(ConcatRows{}, {zeros({1, 1, 1, 2})}), Catch::Contains("expected a list of vectors"));
}

TEST_CASE("a caller's positions take the place of those that are selected") {
  Graph graph;
  const ValueId x = graph.add("x", Input{1}, {});
  const auto top = graph.add_several("top", SelectTop{2}, {x}, {"positions", "numbers"});
  const ValueId rows = graph.add("rows", GatherPositions{}, {x, top[0]});
  graph.outputs = {top[0], rows};
  const Map input = filled({1, 1, 4, 1}, {3, 9, 5, 7});
  CHECK(interpret(graph, input)[static_cast<std::size_t>(rows)].data == std::vector<double>{9, 7});
  const Extent extent{1, 2, 1, 1, true, Element::integer};
  CHECK(interpret(graph, input, {{top[0], filled(extent, {0, 2})}})[static_cast<std::size_t>(rows)].data ==
        std::vector<double>{3, 5});
  CHECK_THROWS_WITH(interpret(graph, input, {{top[0], zeros({1, 3, 1, 1, true, Element::integer})}}),
                    Catch::Contains("value positions: expected [1, 2, 1] int32, found [1, 3, 1] int32"));
}
