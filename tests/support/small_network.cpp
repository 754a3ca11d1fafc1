#include "small_network.h"

#include <algorithm>
#include <set>

namespace maskrt::testing {

using namespace maskrt::graph;

ConstantPtr Dice::constant(const std::string& name, Shape shape) {
  std::vector<float> values(static_cast<std::size_t>(elements(shape)));
  for (auto& value : values) value = eighth();
  return make_constant(name, std::move(shape), std::move(values));
}

ConstantPtr Dice::irregular(const std::string& name, Shape shape) {
  std::vector<float> values(static_cast<std::size_t>(elements(shape)));
  for (auto& value : values) value = static_cast<float>(between(-1'000'000, 1'000'000)) / 250'000;
  return make_constant(name, std::move(shape), std::move(values));
}

Map Dice::map(const Extent& extent) {
  Map result = zeros(extent);
  for (auto& value : result.data) value = static_cast<double>(eighth());
  return result;
}

Conv Dice::conv(const std::string& name, std::int64_t in, std::int64_t out, int kernel, bool bias) {
  Conv conv;
  conv.weight = constant(name + ".weight", {out, in, kernel, kernel});
  if (bias) conv.bias = constant(name + ".bias", {out});
  conv.padding = kernel / 2;
  return conv;
}

Linear Dice::linear(const std::string& name, std::int64_t in, std::int64_t out) {
  return {constant(name + ".weight", {out, in}), constant(name + ".bias", {out})};
}

BatchNorm Dice::batch_norm(const std::string& name, std::int64_t channels) {
  std::vector<float> variance(static_cast<std::size_t>(channels));
  for (auto& value : variance) value = static_cast<float>(1 << (2 * between(0, 2))) / 4;
  return {constant(name + ".weight", {channels}), constant(name + ".bias", {channels}),
          constant(name + ".mean", {channels}), make_constant(name + ".variance", {channels}, std::move(variance)), 0};
}

namespace {

constexpr std::int64_t kWidth = 16;  // of every feature level after the backbone; narrower, splitting saves nothing
constexpr int kGroups = 4, kInstances = 5, kClasses = 3, kKernelDim = 12;

class Builder {
 public:
  explicit Builder(Dice& dice) : dice_(dice) {}
  Graph graph;

  ValueId conv(const std::string& name, ValueId x, std::int64_t in, std::int64_t out, int kernel,
               const std::string& value = {}) {
    return graph.add(name, dice_.conv(name, in, out, kernel), {x}, value);
  }
  ValueId relu(const std::string& name, ValueId x) { return graph.add(name, Activate{Activation::relu}, {x}); }
  ValueId conv_norm(const std::string& name, ValueId x, std::int64_t in, std::int64_t out, int kernel, int stride) {
    auto op = dice_.conv(name, in, out, kernel, false);
    op.stride = stride;
    const auto y = graph.add(name, std::move(op), {x}, name + ".conv");
    return graph.add(name + ".norm", dice_.batch_norm(name + ".norm", out), {y}, name);
  }

  /// [B, h, w, in] -> [B, h / stride, w / stride, out]
  ValueId bottleneck(const std::string& name, ValueId x, std::int64_t in, std::int64_t out, int stride) {
    const auto shortcut = in == out ? x : conv_norm(name + ".shortcut", x, in, out, 1, stride);
    auto y = relu(name + ".relu1", conv_norm(name + ".conv1", x, in, 4, 1, 1));
    y = relu(name + ".relu2", conv_norm(name + ".conv2", y, 4, 4, 3, stride));
    y = conv_norm(name + ".conv3", y, 4, out, 1, 1);
    return relu(name, graph.add(name + ".add", Add{}, {y, shortcut}));
  }

  ValueId pyramid_pooling(ValueId x) {
    std::vector<ValueId> parts;
    for (const int size : {1, 2, 3, 6}) {
      const auto name = "encoder.ppm.stages." + std::to_string(parts.size());
      const auto pooled = graph.add(name + ".pool", AdaptiveAveragePool{size}, {x});
      const auto y = relu(name + ".relu", conv(name + ".1", pooled, kWidth, kWidth / 4, 1));
      parts.push_back(graph.add(name + ".resize", ResizeBilinear{}, {y, x}));
    }
    parts.push_back(x);
    const auto joined = graph.add("encoder.ppm.concat", Concat{}, parts);
    return relu("encoder.ppm", conv("encoder.ppm.bottleneck", joined, 2 * kWidth, kWidth, 1));
  }

  ValueId branch(const std::string& name, ValueId x) {
    auto y = relu(name + ".relu0", conv(name + ".0", x, kWidth + 2, kWidth, 3));
    return relu(name, conv(name + ".2", y, kWidth, kWidth, 3));
  }

 private:
  Dice& dice_;
};

}  // namespace

Graph small_sparse_inst(Dice& dice, bool softmax) {
  Builder b(dice);
  auto& g = b.graph;
  auto x = g.add("input", Input{3}, {});  // [B, H, W, 3]
  x = b.relu("backbone.stem", b.conv_norm("backbone.stem.conv1", x, 3, 6, 7, 2));
  x = g.add("backbone.stem.pool", MaxPool{}, {x});  // /4
  x = b.bottleneck("backbone.res2.0", x, 6, 8, 1);
  const auto res3 = b.bottleneck("backbone.res3.0", x, 8, 12, 2);  // /8
  const auto res4 = b.bottleneck("backbone.res4.0", res3, 12, 12, 1);
  const auto res4_1 = b.bottleneck("backbone.res4.1", res4, 12, 16, 2);      // /16
  const auto res5 = b.bottleneck("backbone.res5.0", res4_1, 16, 16 + 4, 2);  // /32

  const auto top = b.pyramid_pooling(b.conv("encoder.fpn_laterals.0", res5, 20, kWidth, 1));
  const auto middle =
      g.add("encoder.sum1", Add{},
            {b.conv("encoder.fpn_laterals.1", res4_1, 16, kWidth, 1), g.add("encoder.up1", UpsampleNearest{2}, {top})});
  const auto bottom = g.add(
      "encoder.sum2", Add{},
      {b.conv("encoder.fpn_laterals.2", res4, 12, kWidth, 1), g.add("encoder.up2", UpsampleNearest{2}, {middle})});
  const auto p3 = b.conv("encoder.fpn_outputs.2", bottom, kWidth, kWidth, 3);
  const auto p4 = b.conv("encoder.fpn_outputs.1", middle, kWidth, kWidth, 3);
  const auto p5 = b.conv("encoder.fpn_outputs.0", top, kWidth, kWidth, 3);
  const auto joined = g.add(
      "encoder.concat", Concat{},
      {p3, g.add("encoder.resize1", ResizeBilinear{}, {p4, p3}), g.add("encoder.resize2", ResizeBilinear{}, {p5, p3})});
  const auto encoder = b.conv("encoder.fusion", joined, 3 * kWidth, kWidth, 1, "encoder");

  const auto located =
      g.add("decoder.concat", Concat{}, {g.add("decoder.coordinates", Coordinates{}, {encoder}), encoder});
  const auto features = b.branch("decoder.inst_branch.inst_convs", located);
  auto iam = dice.conv("decoder.inst_branch.iam_conv", kWidth / kGroups, kInstances * kGroups, 3);
  iam.groups = kGroups;
  const auto logits = g.add("decoder.inst_branch.iam_conv", std::move(iam), {features}, "iam_logits");
  ValueId maps;
  if (softmax)
    maps = g.add("decoder.inst_branch.softmax", SoftmaxMaps{}, {logits});
  else
    maps = g.add("decoder.inst_branch.normalise", NormaliseMaps{},
                 {g.add("decoder.inst_branch.sigmoid", Activate{Activation::sigmoid}, {logits})});
  auto list = g.add("decoder.inst_branch.aggregate", Aggregate{}, {maps, features});  // [B, G * N, C]
  list = g.add("decoder.inst_branch.regroup", Regroup{kGroups, kInstances}, {list});  // [B, N, G * C]
  list = g.add("decoder.inst_branch.fc", dice.linear("decoder.inst_branch.fc", kGroups * kWidth, 16), {list});
  list = b.relu("decoder.inst_branch.fc.relu", list);
  const auto class_logits = g.add("decoder.inst_branch.cls_score",
                                  dice.linear("decoder.inst_branch.cls_score", 16, kClasses), {list}, "class_logits");
  const auto kernels =
      g.add("decoder.inst_branch.mask_kernel", dice.linear("decoder.inst_branch.mask_kernel", 16, kKernelDim), {list});
  const auto objectness = g.add("decoder.inst_branch.objectness", dice.linear("decoder.inst_branch.objectness", 16, 1),
                                {list}, "objectness_logits");
  const auto mask_features = b.conv("decoder.mask_branch.projection",
                                    b.branch("decoder.mask_branch.mask_convs", located), kWidth, kKernelDim, 1);
  const auto masks = g.add("decoder.masks", MaskProduct{}, {kernels, mask_features});
  const auto mask_logits = g.add("decoder.upsample", ResizeBilinear{2.0}, {masks}, "mask_logits");
  g.outputs = {class_logits, objectness, mask_logits};
  return std::move(g);
}

namespace {

template <std::size_t... index>
std::vector<Operation> every_kind(std::index_sequence<index...>) {
  return {Operation(std::in_place_index<index>)...};
}

}  // namespace

std::vector<Operation> every_kind() { return every_kind(std::make_index_sequence<std::variant_size_v<Operation>>()); }

graph::SparseInstHead sparse_inst_head(const Graph& graph) {
  return {graph.find("class_logits"), graph.find("objectness_logits"), graph.find("mask_logits")};
}

Graph every_operation(Dice& dice) {
  using namespace graph;
  Graph g;
  const auto x = g.add("x", Input{4}, {});
  Conv conv = dice.conv("conv", 2, 4, 3);
  conv.stride = 2, conv.padding = 5, conv.dilation = 3, conv.groups = 2, conv.activation = Activation::sigmoid;
  g.add("conv", conv, {x});
  Conv fused = dice.conv("fused", 4, 4, 1, false);
  fused.coordinate_weight = dice.constant("fused.coordinates", {4, 2, 1, 1});
  fused.residual = true, fused.activation = Activation::relu;
  const auto y = g.add("fused", fused, {x, x});
  auto norm = dice.batch_norm("norm", 4);
  norm.epsilon = 0.1;  // not exact in binary: all 17 digits must survive
  g.add("norm", norm, {x});
  const auto positive = g.add("activate", Activate{Activation::sigmoid}, {x});
  g.add("add", Add{}, {x, y});
  g.add("pool", MaxPool{5, 3, 2}, {x});
  const auto average = g.add("average", AdaptiveAveragePool{6}, {x});
  g.add("nearest", UpsampleNearest{3}, {x});
  g.add("sum", ResizeBilinear{}, {x, y, x});
  g.add("double", ResizeBilinear{1.7}, {x});
  g.add("concat", Concat{}, {x, y, x});
  g.add("slice", Slice{1, 2}, {x});
  g.add("coordinates", Coordinates{}, {x});
  g.add("normalise", NormaliseMaps{1e-7}, {positive});
  g.add("softmax", SoftmaxMaps{}, {x});
  const auto list = g.add("aggregate", Aggregate{}, {x, y});
  // Of dice of its own: the numbers of all that follow stay what they were.
  g.add("logits", AggregateLogits{true, 0.25, Dice(41).constant("logits.bias", {4})}, {x, y});
  g.add("regroup", Regroup{2, 8}, {list});
  auto linear = dice.linear("linear", 4, 5);
  linear.activation = Activation::relu;
  const auto kernels = g.add("linear", linear, {list});
  g.add("masks", MaskProduct{true}, {kernels, x}, "a name of its own");
  Conv top_down = dice.conv("top_down", 4, 4, 1);
  top_down.residual = true, top_down.residual_scale = 2;
  const auto halved = g.add("halved", MaxPool{2, 2, 0}, {x});
  g.add("top_down", top_down, {x, halved});
  const Conv stem = dice.conv("stem", 4, 6, 7);
  g.add("stem", StemPool{stem.weight, stem.bias, Activation::relu}, {x});
  PyramidPool pyramid;
  for (const int size : {1, 3}) {
    const std::string branch = "pyramid." + std::to_string(size);
    const Conv stage = dice.conv(branch + ".stage", 4, 3, 1), last = dice.conv(branch, 3, 5, 1, size == 1);
    pyramid.branches.push_back({size, stage.weight, stage.bias, Activation::relu, last.weight, last.bias});
  }
  g.add_several("pyramid", pyramid, {x}, {"pyramid.one", "pyramid.three"});
  LinearHeads heads{{dice.linear("heads.0", 8, 3), dice.linear("heads.1", 8, 9)}, 2, 2};
  heads.heads[1].activation = Activation::sigmoid;
  g.add_several("heads", heads, {list}, {"heads.three", "heads.nine"});
  // Means under irregular weights: scores lie apart, and no rounding changes which of them are the largest.
  Conv scoring;
  scoring.weight = dice.irregular("class logits.weight", {6, 4, 1, 1});
  const auto logits = g.add("class logits", scoring, {average});
  const auto proposals = g.add("proposals", ProposalScores{1e-5}, {logits});
  const auto top = g.add_several("top", SelectTop{7}, {proposals}, {"positions", "top scores"});
  g.add("gathered", GatherPositions{}, {x, top[0]});
  g.add("queries", Parameter{dice.constant("queries", {5, 6})}, {});
  auto of_map = dice.linear("linear of map", 4, 6);
  of_map.of_map = true, of_map.activation = Activation::leaky_relu;
  const auto wide = g.add("linear of map", of_map, {x});
  DeformConv deform;
  deform.weight = dice.constant("deform.weight", {6, 2, 3, 3}), deform.bias = dice.constant("deform.bias", {6});
  deform.stride = 2, deform.padding = 2, deform.dilation = 2, deform.groups = 2, deform.offset_groups = 2;
  deform.modulated = true, deform.activation = Activation::leaky_relu;
  Conv offsets = dice.conv("offsets", 4, 54, 3);
  offsets.stride = 2;
  g.add("deform", deform, {x, g.add("offsets", offsets, {x})});
  g.add("means", AveragePool{3, 2}, {x});
  const Conv shortcut = dice.conv("shortcut", 4, 6, 1);
  g.add("shortcut", PooledConv{shortcut.weight, shortcut.bias, Activation::leaky_relu}, {x});
  g.add(
      "layer norm",
      LayerNorm{dice.constant("layer norm.weight", {4}), dice.constant("layer norm.bias", {4}), 0.1, Activation::gelu},
      {x});
  Conv depthwise = dice.conv("depthwise", 1, 4, 3);
  depthwise.groups = 4, depthwise.activation = Activation::gelu;
  g.add("depthwise", depthwise, {x});
  g.add("attention", Attention{2},
        {x, average, g.add("values", Slice{1, 4}, {g.add("wide", AdaptiveAveragePool{6}, {wide})})});
  GroupNorm group_norm{dice.constant("group norm.weight", {4}), dice.constant("group norm.bias", {4})};
  group_norm.groups = 2, group_norm.epsilon = 0.1, group_norm.activation = Activation::relu;
  g.add("group norm", group_norm, {x});
  const auto learned = g.add("learned map", ParameterMap{dice.constant("learned map", {1, 4, 3, 2})}, {average});
  const auto rows = g.add("rows", ConcatRows{}, {list, g.add("gathered row", GatherPositions{}, {learned, top[0]})});
  const auto attending = g.add("slice of rows", SliceRows{1, 9}, {rows});
  Attention masked{2};
  masked.masked = true;
  // Of nine queries five have masks; the logits of some are below 0 in some places.
  g.add("masked attention", masked, {attending, average, average, g.add("five masks", Slice{0, 5}, {logits})});
  for (const auto& node : g.nodes)
    for (const ValueId value : node.outputs)
      if (value != x) g.outputs.push_back(value);
  return g;
}

}  // namespace maskrt::testing
