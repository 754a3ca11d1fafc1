// Pyramid Vision Transformer v2 (Wang et al., 2021) and its linear variant, as SparseInst's
// build_pyramid_vision_transformer builds them.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backbone.h"
#include "weights_tools/backbones/parts/out_features.h"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

const std::string kKeys = "MODEL.PVT.";
const std::vector<std::string> kFeatures = {"p1", "p2", "p3", "p4"};
constexpr std::size_t kStages = 4;

using PerStage = std::array<int, kStages>;

constexpr PerStage kHeads = {1, 2, 5, 8};
constexpr PerStage kReductions = {8, 4, 2,
                                  1};  // of the keys' and values' height and width; the linear variant has none
constexpr PerStage kNarrow = {32, 64, 160, 256}, kWide = {64, 128, 320, 512};
constexpr PerStage kRatios = {8, 8, 4, 4}, kRatiosOfB5 = {4, 4, 4, 4};  // of an MLP's inner width to its outer one
constexpr int kLinearPool = 7;

constexpr double kEpsilon = 1e-6;       // of the norms of blocks and stages
constexpr double kInnerEpsilon = 1e-5;  // of those inside patch embedding and attention, PyTorch's default

struct Variant {
  std::string_view name;  // a value of MODEL.PVT.NAME
  PerStage widths;        // as configured; the tensors decide
  PerStage blocks;
  PerStage ratios;
};

constexpr Variant kVariants[] = {
    {"b0", kNarrow, {2, 2, 2, 2}, kRatios}, {"b1", kWide, {2, 2, 2, 2}, kRatios},
    {"b2", kWide, {3, 4, 6, 3}, kRatios},   {"b3", kWide, {3, 4, 18, 3}, kRatios},
    {"b4", kWide, {3, 8, 27, 3}, kRatios},  {"b5", kWide, {3, 6, 40, 3}, kRatiosOfB5},
};

struct PvtConfig {
  const Variant* variant;
  bool linear;
  OutFeatures out_features;
};

PvtConfig read_config(ConfigReader& reader) {
  std::string name = reader.string(kKeys + "NAME", "b1");
  const bool linear = reader.boolean(kKeys + "LINEAR", false);
  if (linear) name = "b2";  // whatever the config says: the authors' code, too, has no other
  const auto* const found =
      std::find_if(std::begin(kVariants), std::end(kVariants), [&](const Variant& one) { return one.name == name; });
  if (found == std::end(kVariants)) {
    std::vector<std::string> names;
    for (const Variant& variant : kVariants) names.emplace_back(variant.name);
    throw Error(reader.where(kKeys + "NAME") + ": expected " + joined(names, "or") + ", found '" + name + "'");
  }
  return {found, linear, OutFeatures(reader, kKeys + "OUT_FEATURES", {"p2", "p3", "p4"}, kFeatures)};
}

class PvtBuilder {
 public:
  PvtBuilder(const PvtConfig& config, const std::string& prefix, Layers& net)
      : config_(config),
        prefix_(prefix),
        net_(net),
        linear_note_(kKeys + "LINEAR is " + (config.linear ? "True" : "False")) {}

  // Stage i of 0 to 3. x [B, h, w, C] -> [B, h/s, w/s, C'], s being 4 for the first stage and 2 for the others
  ValueId stage(std::size_t i, ValueId x) {
    const auto number = std::to_string(i + 1);
    x = embed(prefix_ + "patch_embed" + number, x, i);
    const auto blocks = prefix_ + "block" + number + ".";
    const int count = config_.variant->blocks[i];
    for (int j = 0; j < count; ++j) x = block(blocks + std::to_string(j), x, i);
    net_.weights().expect_absent(
        blocks + std::to_string(count) + ".norm1.weight",
        (config_.linear ? kKeys + "LINEAR True" : kKeys + "NAME " + std::string(config_.variant->name)) +
            " does not have");
    return net_.layer_norm(prefix_ + "norm" + number, x, kEpsilon, prefix_ + kFeatures[i]);
  }

 private:
  // Overlapping patches become pixels.
  ValueId embed(const std::string& name, ValueId x, std::size_t i) {
    const ConvOptions patches = i == 0 ? ConvOptions{.kernel = 7, .stride = 4, .padding = 3, .bias = true}
                                       : ConvOptions{.kernel = 3, .stride = 2, .padding = 1, .bias = true};
    x = net_.conv(name + ".proj", x, width(config_.variant->widths[i]), patches);
    if (net_.channels(x) != kUnknown && net_.channels(x) % kHeads[i] != 0)
      net_.weights().report("tensor " + name + ".proj.weight: expected rows that the " + std::to_string(kHeads[i]) +
                            " attention heads of stage " + std::to_string(i + 1) + " divide (" + kKeys + "NAME " +
                            std::string(config_.variant->name) + "), found " + std::to_string(net_.channels(x)));
    return net_.layer_norm(name + ".norm", x, kInnerEpsilon);
  }

  // x [B, h, w, C] -> [B, h, w, C]
  ValueId block(const std::string& name, ValueId x, std::size_t i) {
    const LayerFills last = last_fills(config_.variant->blocks[i]);
    ValueId y = net_.layer_norm(name + ".norm1", x, kEpsilon);
    y = attention(name + ".attn", y, i, last);
    x = net_.sum(name + ".attn.add", x, y);
    y = net_.layer_norm(name + ".norm2", x, kEpsilon);
    y = mlp(name + ".mlp", y, i, last);
    return net_.sum(name + ".mlp.add", x, y);
  }

  // Every pixel asks all pixels of a reduced map. x [B, h, w, C] -> [B, h, w, C]
  ValueId attention(const std::string& name, ValueId x, std::size_t i, const LayerFills& last) {
    const std::int64_t channels = net_.channels(x);
    const ValueId queries = net_.map_linear(name + ".q", x, channels, kQueryFills);  // [B, h, w, C]
    const ValueId seen = reduced(name, x, i);                                        // [B, h/r, w/r, C]
    const ValueId both =                                                             // [B, h/r, w/r, 2C]
        net_.map_linear(name + ".kv", seen, channels == kUnknown ? kUnknown : 2 * channels);
    const auto [keys, values] = net_.halves(name + ".kv", both);
    x = net_.attention(name + ".attention", queries, keys, values, kHeads[i]);  // [B, h, w, C]
    return net_.map_linear(name + ".proj", x, channels, last);
  }

  // What keys and values are made of. x [B, h, w, C] -> [B, h/r, w/r, C]; linear: [B, 7, 7, C]
  ValueId reduced(const std::string& name, ValueId x, std::size_t i) {
    const int reduction = kReductions[i];
    if (config_.linear) x = net_.adaptive_average_pool(name + ".pool", x, kLinearPool);
    if (!config_.linear && reduction == 1) {
      for (const char* layer : {".sr", ".norm"})
        net_.weights().expect_absent(name + layer + ".weight",
                                     kKeys + "LINEAR False does not have in stage " + std::to_string(i + 1));
      return x;
    }
    const int kernel = config_.linear ? 1 : reduction;
    x = net_.conv(name + ".sr", x, net_.channels(x),
                  {.kernel = kernel, .stride = kernel, .kernel_note = linear_note_, .bias = true});
    x = net_.layer_norm(name + ".norm", x, kInnerEpsilon, {}, linear_note_);
    return config_.linear ? net_.gelu(name + ".act", x) : x;
  }

  // x [B, h, w, C] -> [B, h, w, C]; inside there are 4 or 8 C
  ValueId mlp(const std::string& name, ValueId x, std::size_t i, const LayerFills& last) {
    const std::int64_t channels = net_.channels(x);
    ValueId y = net_.map_linear(name + ".fc1", x, width(config_.variant->ratios[i] * channels), kReluFills);
    if (config_.linear) y = net_.relu(name + ".relu", y);
    y = net_.depthwise_conv(name + ".dwconv.dwconv", y, {.kernel = 3, .padding = 1, .bias = true, .fills = kReluFills});
    y = net_.gelu(name + ".act", y);
    return net_.map_linear(name + ".fc2", y, channels, last);
  }

  // Random weights: attention that prefers some keys to others; and layers that add to what passes through a stage,
  // less each where there are more of them.
  static constexpr LayerFills kQueryFills = {.weight = {.gain = 2}};
  static LayerFills last_fills(int blocks) { return {.weight = {.gain = 1 / std::sqrt(2.0 * blocks)}}; }

  const PvtConfig& config_;
  const std::string& prefix_;
  Layers& net_;
  std::string linear_note_;
};

class Pvt : public Backbone {
 public:
  Pvt(PvtConfig config, std::string prefix) : config_(std::move(config)), prefix_(std::move(prefix)) {}

  std::string summary() const override {
    return "PVTv2-B" + std::string(config_.variant->name.substr(1)) + (config_.linear ? "-Li" : "");
  }
  // The features named in PVT.OUT_FEATURES.
  Features build(ValueId image, Layers& net) const override {
    PvtBuilder builder(config_, prefix_, net);
    Features made;
    ValueId x = image;
    int stride = 2;
    for (std::size_t i = 0; i < config_.out_features.built(); ++i) {
      // p1: [B, H/4, W/4, 64], p2: [B, H/8, W/8, 128], p3: [B, H/16, W/16, 320], p4: [B, H/32, W/32, 512]
      x = builder.stage(i, x);
      stride *= 2;
      made[kFeatures[i]] = {x, stride};
    }
    return config_.out_features.of(made);
  }
  std::string first_layer() const override { return prefix_ + "patch_embed1.proj"; }

 private:
  PvtConfig config_;
  std::string prefix_;
};

}  // namespace

namespace backbones {

BackboneKind pvt() {
  return {"build_pyramid_vision_transformer",
          [](ConfigReader& reader, const std::string& prefix) -> std::unique_ptr<const Backbone> {
            return std::make_unique<Pvt>(read_config(reader), prefix);
          }};
}

}  // namespace backbones
}  // namespace maskrt::weights
