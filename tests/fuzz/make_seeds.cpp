// Writes the seeds that are made, not stored: model files of single operations and of a small network.
//
//   fuzz_seeds FOLDER
#include <filesystem>
#include <functional>
#include <string>

#include "graph/model_file.h"
#include "support/small_network.h"

namespace {

using namespace maskrt;
using namespace maskrt::graph;
using testing::Dice;
using testing::sparse_inst_head;

void write(const std::filesystem::path& path, const std::string& name, Graph graph, int classes = 1) {
  ModelDescription model;
  model.name = name;
  model.preprocessing = {true, {120, 110, 100}, {60, 60, 60}, 0, 0, 32};
  for (int i = 0; i < classes; ++i) model.categories.push_back({i + 1, "class", true, {}});
  model.graph = std::move(graph);
  model.head = sparse_inst_head(model.graph);
  std::map<std::string, std::vector<float>> numbers;
  std::vector<TensorToWrite> tensors;
  for (const Node& node : model.graph.nodes)
    for (const ConstantPtr& constant : constants_of(node.operation)) {
      auto& values = numbers[constant->name()];
      if (!values.empty()) continue;
      values = constant->evaluate();
      tensors.push_back({constant->name(), DataType::f32, constant->shape(), std::as_bytes(std::span(values))});
    }
  write_model(path, model, tensors);
}

/// Adds the three outputs that a model must have, made of few features of the input.
void add_detector(Graph& g, Dice& dice, int queries, int channels) {
  const auto named = [](const char* name) { return std::string("detector.") + name; };
  const auto x = g.add(named("features"), dice.conv(named("features"), 3, channels, 3), {g.nodes[0].output()});
  const auto maps = g.add(named("iam"), dice.conv(named("iam"), channels, queries, 3), {x});
  const auto list = g.add(named("list"), AggregateLogits{}, {maps, x});
  g.outputs.push_back(g.add(named("scores"), dice.linear(named("scores"), channels, 1), {list}, "class_logits"));
  g.outputs.push_back(
      g.add(named("objectness"), dice.linear(named("objectness"), channels, 1), {list}, "objectness_logits"));
  const auto kernels = g.add(named("kernels"), dice.linear(named("kernels"), channels, channels), {list});
  const auto masks = g.add(named("masks"), MaskProduct{}, {kernels, x});
  g.outputs.push_back(g.add(named("resize"), ResizeBilinear{2}, {masks}, "mask_logits"));
}

using Build = std::function<void(Graph&, ValueId, Dice&)>;

/// The operations over `channels` channels made of the input's three; their last value is one more output.
Graph graph_of(const Build& build, std::int64_t channels, Dice& dice) {
  Graph g;
  const auto input = g.add("input", Input{3}, {});
  build(g, channels == 3 ? input : g.add("wide", dice.conv("wide", 3, channels, 1), {input}), dice);
  g.outputs.push_back(g.nodes.back().output());
  add_detector(g, dice, 2, 4);
  return g;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  Dice dice(5);
  const auto save = [&](const char* name, std::int64_t channels, const Build& build) {
    // A batch of 1, 8 high and 12 wide.
    write(folder / (std::string(name) + ".maskrt"), std::string("@gk ") + name, graph_of(build, channels, dice));
  };
  save("conv", 3, [](Graph& g, ValueId x, Dice& d) {
    const auto y = g.add("a", d.conv("a", 3, 8, 3), {x});
    Conv next = d.conv("b", 8, 8, 3);
    next.residual = true;
    next.activation = Activation::relu;
    g.add("b", next, {y, y});
  });
  save("conv_one_high", 4, [](Graph& g, ValueId x, Dice& d) {
    Conv op = d.conv("a", 4, 4, 1);
    op.weight = d.constant("wide", {4, 4, 1, 5});
    op.padding = 1;
    const auto first = g.add("a", op, {x});  // its first and last rows are the padding's alone
    op.residual = true;
    g.add("b", op, {x, first});
  });
  save("conv_groups", 8, [](Graph& g, ValueId x, Dice& d) {
    Conv op = d.conv("a", 4, 16, 3);
    op.groups = 2;
    op.stride = 2;
    op.dilation = 2;
    g.add("a", op, {x});
  });
  save("conv_coordinates", 4, [](Graph& g, ValueId x, Dice& d) {
    const auto located = g.add("located", Concat{}, {g.add("xy", Coordinates{}, {x}), x});
    const auto y = g.add("a", d.conv("a", 6, 8, 3), {located});
    g.add("n", d.batch_norm("n", 8), {y});
  });
  save("pools", 3, [](Graph& g, ValueId x, Dice& d) {
    const auto y = g.add("max", MaxPool{}, {x});
    const auto z = g.add("mean", AdaptiveAveragePool{3}, {y});
    const auto c = g.add("c", d.conv("c", 3, 4, 1), {z});
    const auto up = g.add("up", UpsampleNearest{2}, {c});
    g.add("resize", ResizeBilinear{0}, {up, c, x});
  });
  save("siblings", 8, [](Graph& g, ValueId x, Dice& d) {
    const auto a = g.add("a", d.conv("a", 8, 4, 1), {x}), b = g.add("b", d.conv("b", 8, 8, 1), {x});
    const auto joined = g.add("joined", Concat{}, {a, b});
    g.add("s", Slice{2, 6}, {g.add("act", Activate{Activation::sigmoid}, {joined})});
  });
  save("lists", 8, [](Graph& g, ValueId x, Dice& d) {
    const auto maps = g.add("sigmoid", Activate{Activation::sigmoid}, {g.add("iam", d.conv("iam", 8, 20, 3), {x})});
    const auto list = g.add("list", Aggregate{}, {g.add("normal", NormaliseMaps{}, {maps}), x});
    const auto grouped = g.add("regroup", Regroup{4, 5}, {list});
    const auto kernels = g.add("kernels", d.linear("kernels", 32, 9), {grouped});
    g.add("masks", MaskProduct{true}, {kernels, x});
  });
  save("softmax", 8, [](Graph& g, ValueId x, Dice& d) {
    const auto maps = g.add("softmax", SoftmaxMaps{}, {g.add("iam", d.conv("iam", 8, 6, 1), {x})});
    g.add("list", Aggregate{}, {maps, x});
  });
  Graph detector;
  detector.add("input", Input{3}, {});
  add_detector(detector, dice, 6, 8);
  write(folder / "detector.maskrt", "@gk detector", std::move(detector));
  write(folder / "network.maskrt", "@__ network", testing::small_sparse_inst(dice), 3);
  return 0;
}
