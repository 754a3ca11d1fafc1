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
  throw Error(config.where(kKey) + ": expected " + joined(names, "or") + ", found '" + name + "'");
}

}  // namespace maskrt::weights
