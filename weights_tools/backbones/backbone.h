// The part of a network that turns an image into feature maps, whatever head reads them. Families share backbones.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weights_tools/builder/layers.h"
#include "weights_tools/config/config_reader.h"

namespace maskrt::weights {

/// One map that a backbone hands to what follows.
struct Feature {
  graph::ValueId value = -1;
  int stride = 0;  ///< input pixels per pixel
};
/// By the names that configs give them: "res4".
using Features = std::map<std::string, Feature>;

/// A backbone as its config describes it.
class Backbone {
 public:
  virtual ~Backbone() = default;
  /// "ResNet-50", for the report.
  virtual std::string summary() const = 0;
  /// Adds the backbone's nodes. Gives the features that its config names. `image` is [B, H, W, 3].
  /// Throws Error that names a config key for what cannot be built.
  virtual Features build(graph::ValueId image, Layers& net) const = 0;
  /// The name of the convolution that reads the image; the report tells its number of output channels.
  virtual std::string first_layer() const = 0;
};

/// A kind of backbone, one a file of this folder.
struct BackboneKind {
  std::string_view name;  ///< "build_resnet_backbone", a value of MODEL.BACKBONE.NAME
  /// Reads and checks the backbone's keys. `prefix` stands before all its tensors' names: "backbone.".
  /// Throws Error as ConfigReader does.
  std::unique_ptr<const Backbone> (*read)(ConfigReader& config, const std::string& prefix);
};

/// All that can be built, in the order of backbones/list.h.
const std::vector<BackboneKind>& all_backbones();

/// The backbone that MODEL.BACKBONE.NAME names. Throws Error that lists the names for another.
std::unique_ptr<const Backbone> read_backbone(ConfigReader& config, const std::string& prefix);

}  // namespace maskrt::weights
