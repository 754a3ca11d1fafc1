// Model families: what a config of each says, how its network is built, and what its users are told. Nothing outside of
// weights_tools/families knows a family by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/model_file.h"
#include "weights_tools/builder/layers.h"
#include "weights_tools/config/config_reader.h"
#include "weights_tools/config/known_keys.h"

namespace maskrt::weights {

/// How many classes a network tells apart, and the config key that says so.
struct ClassCount {
  int count = 0;
  std::string key;  ///< "MODEL.SPARSE_INST.DECODER.NUM_CLASSES"
};

/// A network as its family understands its config; not built yet.
class Network {
 public:
  virtual ~Network() = default;
  /// The parts, for the report: "ResNet-50, InstanceContextEncoder, GroupIAMDecoder".
  virtual std::string summary() const = 0;
  /// Counts, widths and thresholds, for the report. Widths are those of `graph`, which build() made: the tensors decide
  /// them, whatever the config says.
  virtual std::string details(const graph::Graph& graph) const = 0;
  virtual ClassCount classes() const = 0;
  /// Labels for those who give none: as many as there are classes.
  virtual std::vector<Category> default_labels() const = 0;
  /// Adds the network to `net`, whose graph is model.graph, of plain operations under the checkpoint's names, and says
  /// in `model` all that stands beside the graph but the model's name and its labels. Throws Error that names a config
  /// key for what cannot be built; what is wrong with the weights is left to Weights::check.
  virtual void build(Layers& net, graph::ModelDescription& model) const = 0;
};

/// A key of a config and its value, a Python literal or else a string.
struct Setting {
  std::string_view key, value;
};

/// A config that a family's authors published, as facts: what it says differently from the code's defaults, as far as
/// inference reads it. Of a key that stands twice the later value counts.
struct PublishedConfig {
  std::string_view name;  ///< of the authors' file, without ".yaml"
  std::vector<Setting> settings;
};

/// A model family, one a folder of weights_tools/families.
struct Family {
  std::string_view name;  ///< "SparseInst"
  /// Whether a config is one of this family.
  bool (*recognises)(ConfigReader& config);
  /// Reads and checks all keys that inference reads. Throws Error that names the key, its place, what was expected and
  /// what was found, also for parts that cannot be built (yet).
  std::unique_ptr<const Network> (*read)(ConfigReader& config);
  std::vector<PublishedConfig> published;
  /// Keys that the family adds to detectron2's, and that only its training reads.
  std::vector<KeySection> training_keys;
  /// Keys that its configs may have and that nothing reads: no mistakes in a file, but wrong on the command line.
  std::vector<KeySection> idle_keys;
  /// Stands before every tensor's name where random weights are drawn. Whether an untrained network finds anything is
  /// luck; this is one with which it does.
  std::string_view random_seed;
};

/// Value of MODEL.META_ARCHITECTURE, by which most families recognise their configs.
std::string meta_architecture(ConfigReader& config);

/// Output channels of a convolution, by its node's name; "?" where there is none, for Network::details.
std::string width_of(const graph::Graph& graph, std::string_view conv);

}  // namespace maskrt::weights
