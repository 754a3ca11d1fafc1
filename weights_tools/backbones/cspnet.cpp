// CSPNet (Wang et al., 2019) on ResNet, ResNeXt and Darknet-53 (YOLOv3, Redmon and Farhadi, 2018), and that Darknet
// itself, as SparseInst's build_cspnet_backbone builds them.
#include <algorithm>
#include <array>
#include <span>
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

const std::string kKeys = "MODEL.CSPNET.";

// Widths as the authors have them; the tensors decide.
struct StageShape {
  std::int64_t width;
  std::int64_t expanded;    // of what a cross stage splits in halves; 0: the stage is none
  std::int64_t bottleneck;  // of the first convolution of a block
  int blocks;
};

constexpr std::array kCspResNet50 = {StageShape{128, 256, 64, 3}, StageShape{256, 512, 128, 3},
                                     StageShape{512, 1024, 256, 5}, StageShape{1024, 2048, 512, 2}};
constexpr std::array kCspResNet50w = {StageShape{256, 256, 32, 3}, StageShape{512, 512, 64, 3},
                                      StageShape{1024, 1024, 128, 5}, StageShape{2048, 2048, 256, 2}};
constexpr std::array kCspResNeXt50 = {StageShape{256, 256, 128, 3}, StageShape{512, 512, 256, 3},
                                      StageShape{1024, 1024, 512, 5}, StageShape{2048, 2048, 1024, 2}};
constexpr std::array kCspDarknet53 = {StageShape{64, 128, 32, 1}, StageShape{128, 128, 64, 2},
                                      StageShape{256, 256, 128, 8}, StageShape{512, 512, 256, 8},
                                      StageShape{1024, 1024, 512, 4}};
constexpr std::array kDarknet53 = {StageShape{64, 0, 32, 1}, StageShape{128, 0, 64, 2}, StageShape{256, 0, 128, 8},
                                   StageShape{512, 0, 256, 8}, StageShape{1024, 0, 512, 4}};

struct Variant {
  std::string_view name;  // a value of MODEL.CSPNET.NAME
  std::string_view summary;
  // Blocks of two convolutions instead of three. The image is not reduced before the first stage, but in it.
  bool dark;
  bool deep_stem;
  int groups;
  std::span<const StageShape> stages;
};

constexpr Variant kVariants[] = {
    {"cspresnet50", "CSPResNet-50", false, false, 1, kCspResNet50},
    {"cspresnet50d", "CSPResNet-50-D", false, true, 1, kCspResNet50},
    {"cspresnet50w", "CSPResNet-50-W", false, true, 1, kCspResNet50w},
    {"cspresnext50", "CSPResNeXt-50", false, false, 32, kCspResNeXt50},
    {"cspdarknet53", "CSPDarknet-53", true, false, 1, kCspDarknet53},
    {"darknet53", "Darknet-53", true, false, 1, kDarknet53},
};

const Variant& read_variant(ConfigReader& reader) {
  const std::string name = reader.string(kKeys + "NAME", "darknet53");
  std::vector<std::string> names;
  for (const Variant& variant : kVariants) {
    if (variant.name == name) return variant;
    names.emplace_back(variant.name);
  }
  throw Error(reader.where(kKeys + "NAME") + ": expected " + joined(names, "or") + ", found '" + name + "'");
}

// csp0 to csp3 or csp4
OutFeatures read_features(ConfigReader& reader, const Variant& variant) {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < variant.stages.size(); ++i) made.push_back("csp" + std::to_string(i));
  return {reader, kKeys + "OUT_FEATURES", {"csp1", "csp2", "csp3", "csp4"}, made, " of " + std::string(variant.name)};
}

class CspNetBuilder {
 public:
  CspNetBuilder(const Variant& variant, const std::string& prefix, Layers& net)
      : variant_(variant),
        prefix_(prefix),
        net_(net),
        absent_(kKeys + "NAME " + std::string(variant.name) + " does not have") {}

  // x [B, H, W, 3] -> [B, H, W, 32] of the darknets, [B, H/4, W/4, 64] of the others
  ValueId stem(ValueId x) {
    const auto name = prefix_ + "stem.conv";
    if (variant_.dark) {
      x = conv3x3(name + "1", x, 32, 1);
    } else if (variant_.deep_stem) {
      x = conv3x3(name + "1", x, 32, 2);
      x = conv3x3(name + "2", x, 32, 1);
      x = conv3x3(name + "3", x, 64, 1);
    } else {
      x = conv(name + "1", x, width(64), {.kernel = 7, .stride = 2, .padding = 3, .fills = kReluFills});
    }
    net_.weights().expect_absent(name + (variant_.deep_stem ? "4" : "2") + ".conv.weight", absent_);
    return variant_.dark ? x : net_.max_pool(prefix_ + "stem.pool", x, {3, 2, 1});
  }

  // x [B, h, w, C] -> [B, h/2, w/2, width], at stride 1 [B, h, w, width]
  ValueId stage(const std::string& name, ValueId x, const StageShape& shape, int stride, const std::string& value) {
    // Cross stages on ResNets keep their input's width until they expand it.
    const std::int64_t down = variant_.dark ? shape.width : net_.channels(x);
    if (stride != 1) {
      x = variant_.dark ? conv3x3(name + ".conv_down", x, down, stride) : grouped(name + ".conv_down", x, down, stride);
    } else {
      net_.weights().expect_absent(name + ".conv_down.conv.weight", absent_);
    }
    if (shape.expanded != 0) return cross(name, x, shape, value);
    net_.weights().expect_absent(name + ".conv_exp.conv.weight", absent_);
    return blocks(name, x, shape, value);
  }

 private:
  // A convolution, its norm and its activation, which all convolutions have here, also where the papers' have none.
  ValueId conv(const std::string& name, ValueId x, const Dim& out, const ConvOptions& options,
               const Fill& norm_fill = kNormWeightFill, const std::string& value = {}) {
    x = net_.conv(name + ".conv", x, out, options);
    x = net_.batch_norm(name + ".bn", x, norm_fill);
    return net_.leaky_relu(name + ".act", x, value);
  }
  ValueId conv1x1(const std::string& name, ValueId x, const Dim& out, const std::string& value = {}) {
    return conv(name, x, out, {.fills = kReluFills}, kNormWeightFill, value);
  }
  ValueId conv3x3(const std::string& name, ValueId x, std::int64_t out, int stride) {
    return conv(name, x, width(out), {.kernel = 3, .stride = stride, .padding = 1, .fills = kReluFills});
  }
  // 3x3, in as many groups as the variant has
  ValueId grouped(const std::string& name, ValueId x, std::int64_t out, int stride) {
    const std::string note = kKeys + "NAME " + std::string(variant_.name) + " has " + std::to_string(variant_.groups) +
                             (variant_.groups == 1 ? " group" : " groups");
    return conv(name, x, width(out),
                {.kernel = 3,
                 .stride = stride,
                 .padding = 1,
                 .groups = variant_.groups,
                 .groups_note = note,
                 .fills = kReluFills});
  }

  // Half of the channels pass by the blocks. x [B, h, w, C] -> [B, h, w, width]
  ValueId cross(const std::string& name, ValueId x, const StageShape& shape, const std::string& value) {
    x = conv1x1(name + ".conv_exp", x, width(shape.expanded));  // [B, h, w, E]
    if (net_.channels(x) % 2 != 0 && net_.channels(x) != kUnknown)
      net_.weights().report("tensor " + name + ".conv_exp.conv.weight: expected an even number of rows, for " + kKeys +
                            "NAME " + std::string(variant_.name) + " splits what it makes in halves, found " +
                            std::to_string(net_.channels(x)));
    const auto [past, through] = net_.halves(name + ".split", x);  // [B, h, w, E/2] each
    ValueId y = blocks(name, through, shape, {});
    y = conv1x1(name + ".conv_transition_b", y, width(shape.expanded / 2));  // [B, h, w, E/2]
    y = net_.concat(name + ".concat", {past, y});
    return conv1x1(name + ".conv_transition", y, width(shape.width), value);  // [B, h, w, width]
  }

  ValueId blocks(const std::string& name, ValueId x, const StageShape& shape, const std::string& value) {
    // What blocks add is never negative, so that it grows with their number, not with the number's root.
    const Fill last = last_norm_fill(16 * shape.blocks * shape.blocks);
    for (int i = 0; i < shape.blocks; ++i)
      x = block(name + ".blocks." + std::to_string(i), x, shape, last, i + 1 == shape.blocks ? value : "");
    net_.weights().expect_absent(name + ".blocks." + std::to_string(shape.blocks) + ".conv1.conv.weight", absent_);
    return x;
  }

  // x [B, h, w, C] -> [B, h, w, C]
  ValueId block(const std::string& name, ValueId x, const StageShape& shape, const Fill& last,
                const std::string& value) {
    ValueId y = conv1x1(name + ".conv1", x, width(shape.bottleneck));
    if (variant_.dark) {
      net_.weights().expect_absent(name + ".conv3.conv.weight", absent_);
      y = conv(name + ".conv2", y, net_.channels(x), {.kernel = 3, .padding = 1, .fills = kReluFills}, last);
      return net_.sum(name + ".add", y, x, value);
    }
    y = grouped(name + ".conv2", y, shape.bottleneck, 1);
    y = conv(name + ".conv3", y, net_.channels(x), {.fills = kReluFills}, last);
    return net_.leaky_relu(name + ".act3", net_.sum(name + ".add", y, x), value);
  }

  const Variant& variant_;
  const std::string& prefix_;
  Layers& net_;
  std::string absent_;
};

class CspNet : public Backbone {
 public:
  CspNet(const Variant& variant, OutFeatures out_features, std::string prefix)
      : variant_(variant), out_features_(std::move(out_features)), prefix_(std::move(prefix)) {}

  std::string summary() const override { return std::string(variant_.summary); }
  // The features named in CSPNET.OUT_FEATURES.
  Features build(ValueId image, Layers& net) const override {
    CspNetBuilder builder(variant_, prefix_, net);
    Features made;
    ValueId x = builder.stem(image);
    int stride = variant_.dark ? 1 : 4;
    for (std::size_t i = 0; i < out_features_.built(); ++i) {
      const int stage_stride = i == 0 && !variant_.dark ? 1 : 2;
      stride *= stage_stride;
      const auto number = std::to_string(i);
      x = builder.stage(prefix_ + "stages." + number, x, variant_.stages[i], stage_stride, prefix_ + "csp" + number);
      made["csp" + number] = {x, stride};
    }
    if (out_features_.built() == variant_.stages.size())
      net.weights().expect_absent(
          prefix_ + "stages." + std::to_string(variant_.stages.size()) + ".conv_down.conv.weight",
          kKeys + "NAME " + std::string(variant_.name) + " does not have");
    return out_features_.of(made);
  }
  std::string first_layer() const override { return prefix_ + "stem.conv1.conv"; }

 private:
  const Variant& variant_;
  OutFeatures out_features_;
  std::string prefix_;
};

}  // namespace

namespace backbones {

BackboneKind cspnet() {
  return {"build_cspnet_backbone",
          [](ConfigReader& reader, const std::string& prefix) -> std::unique_ptr<const Backbone> {
            const Variant& variant = read_variant(reader);
            reader.string(kKeys + "NORM", "");  // which batch norm was trained; it is one whatever this says
            return std::make_unique<CspNet>(variant, read_features(reader, variant), prefix);
          }};
}

}  // namespace backbones
}  // namespace maskrt::weights
