#include <algorithm>

#include "backbone.h"
#include "list.h"
#include "weights_tools/words.h"

namespace maskrt::weights {

namespace backbones {
#define MASKRT_DECLARE(name) BackboneKind name();
MASKRT_BACKBONES(MASKRT_DECLARE)
#undef MASKRT_DECLARE
}  // namespace backbones

namespace {

constexpr const char* kKey = "MODEL.BACKBONE.NAME";

// Published configs name these, so their users are told more than that the name is not known.
struct ComingBackbone {
  std::string_view name, described;
};
constexpr ComingBackbone kComing[] = {
    {"build_resnet_vd_backbone", "ResNet-D backbones"},
    {"build_cspnet_backbone", "CSPNet and Darknet backbones"},
    {"build_pyramid_vision_transformer", "Pyramid Vision Transformer backbones"},
};

}  // namespace

const std::vector<BackboneKind>& all_backbones() {
#define MASKRT_CALL(name) backbones::name(),
  static const std::vector<BackboneKind> all = {MASKRT_BACKBONES(MASKRT_CALL)};
#undef MASKRT_CALL
  return all;
}

std::unique_ptr<const Backbone> read_backbone(ConfigReader& config, const std::string& prefix) {
  const std::string name = config.string(kKey, "build_resnet_backbone");
  std::vector<std::string> names;
  for (const BackboneKind& kind : all_backbones()) {
    if (kind.name == name) return kind.read(config, prefix);
    names.emplace_back(kind.name);
  }
  const auto* const coming = std::find_if(std::begin(kComing), std::end(kComing),
                                          [&name](const ComingBackbone& one) { return one.name == name; });
  throw Error(std::string(kKey) + ": expected " + joined(names, "or") + ", found '" + name + "'" +
              (coming == std::end(kComing) ? "" : ": " + std::string(coming->described) + " are not supported yet"));
}

}  // namespace maskrt::weights
