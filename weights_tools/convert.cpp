#include "convert.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "checkpoint_names.h"
#include "graph/file_roles.h"
#include "graph/model_file.h"
#include "graph/reading.h"
#include "graph/utf8.h"
#include "labels.h"
#include "weights_tools/checkpoint/checkpoint.h"
#include "weights_tools/families/build_model.h"

namespace maskrt::weights {
namespace {

namespace fs = std::filesystem;

std::string describe_input(const graph::Preprocessing& input) {
  const std::string order = input.rgb ? "RGB" : "BGR";
  const std::string padding =
      input.size_divisibility > 1 ? ", padded to multiples of " + std::to_string(input.size_divisibility) : "";
  if (input.min_size == 0) return order + ", not resized" + padding;
  return order + ", shortest edge " + std::to_string(input.min_size) + ", longest at most " +
         std::to_string(input.max_size) + padding;
}

std::string describe_labels(const ConvertOptions& options, const std::vector<Category>& labels) {
  std::string names;
  for (std::size_t i = 0; i < std::min<std::size_t>(labels.size(), 3); ++i) names += ", " + labels[i].name;
  const std::string count = std::to_string(labels.size());
  return (options.labels ? count + " from " + options.labels->string() : count + " default names") + names +
         (labels.size() > 3 ? ", ..." : "");
}

// The names of a state dict, of tensors and of whatever else stands there.
std::vector<std::string> names_in(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : checkpoint.tensors) names.push_back(name);
  for (const auto& [name, what] : checkpoint.other) names.push_back(name);
  return names;
}

std::vector<std::string> unused_tensors(const Checkpoint& checkpoint, const WeightSource& source,
                                        const std::vector<std::string>& read) {
  std::set<std::string> used;
  for (const auto& name : read) used.insert(source.source_name(name));
  std::vector<std::string> unused;
  for (const auto& [name, tensor] : checkpoint.tensors)
    if (!used.contains(name)) unused.push_back(name);
  unused.insert(unused.end(), checkpoint.ignored.begin(), checkpoint.ignored.end());
  return unused;
}

AlignedNames align(const Checkpoint& checkpoint, const NetworkConfig& config, const ConvertOptions& options) {
  try {
    return align_names(names_in(checkpoint), tensor_names(config), options.prefix);
  } catch (const Error& error) {
    throw Error(options.checkpoint->string() + ": " + error.what());
  }
}

// A slip of the keyboard must not cost anybody their checkpoint.
void check_output(const fs::path& output, const ConvertOptions& options, const std::vector<fs::path>& config_files) {
  graph::FileRoles roles;
  roles.input(options.checkpoint.value_or(""));
  roles.input(options.labels.value_or(""));
  for (const fs::path& file : config_files) roles.input(file);
  roles.output(output);
  roles.check();
}

// All that converting makes, of which the report tells.
struct Conversion {
  NetworkConfig config;
  Labels labels;
  std::shared_ptr<const Checkpoint> checkpoint;  // null: random weights
  std::string names;                             // what was taken off the checkpoint's names, as the report says it
  std::shared_ptr<const WeightSource> source;
  BuiltModel built;
  fs::path output;
  std::uint64_t bytes = 0;
};

std::uint64_t write(const fs::path& path, const BuiltModel& built, const WeightSource& source) {
  std::vector<StoredTensor> stored;
  stored.reserve(built.tensors.size());  // the written tensors point into it
  std::vector<graph::TensorToWrite> tensors;
  for (const TensorRequest& tensor : built.tensors) {
    stored.push_back(source.stored(tensor));
    tensors.push_back({tensor.name, stored.back().type, tensor.shape, stored.back().bytes});
  }
  return graph::write_model(path, built.description, tensors);
}

Conversion perform(const ConvertOptions& options) {
  Config config = find_config(options.config);
  apply_overrides(config, options.overrides);
  const std::string config_name = config.name;
  config.name = with_escaped_bytes(config_name);  // of a file, whose name may be in any encoding
  if (options.name) config.name = *options.name;
  if (!is_utf8(config.name)) throw Error("--name: expected text in UTF-8, found other bytes");

  // Whatever can be refused without the weights is refused before a large file is read.
  Conversion made;
  made.config = read_network(config);
  const fs::path stem = options.checkpoint ? options.checkpoint->stem() : fs::path(config_name);
  made.output = options.output.value_or(stem.string() + ".maskrt");
  check_output(made.output, options, config.files);
  const ClassCount classes = made.config.network->classes();
  made.labels = options.labels ? read_labels(*options.labels, classes.count, classes.key)
                               : Labels{made.config.network->default_labels(), {}};

  if (options.checkpoint) {
    made.checkpoint = std::make_shared<const Checkpoint>(read_checkpoint(*options.checkpoint));
    auto names = align(*made.checkpoint, made.config, options);
    made.names = names.report;
    made.source = checkpoint_weights(made.checkpoint, std::move(names.in_file));
  } else {
    made.source = random_weights(made.config);
  }

  constexpr std::size_t kShown = 8, kAll = std::size_t{1} << 20;
  made.built = build_model(made.config, made.source, options.all_problems ? kAll : kShown);
  made.built.description.categories = made.labels.categories;
  made.bytes = write(made.output, made.built, *made.source);
  return made;
}

ConvertReport report_on(const Conversion& made, const ConvertOptions& options) {
  const graph::ModelDescription& model = made.built.description;
  ConvertReport report;
  report.source = made.checkpoint
                      ? options.checkpoint->string() + ": " + std::string(name_of(made.checkpoint->container)) + ", " +
                            std::to_string(made.checkpoint->tensors.size()) + " tensors"
                      : "random weights";
  report.names = made.names;
  report.model = std::string(made.config.family->name) + ", " + made.config.network->summary();
  report.network = made.config.network->details(model.graph);
  report.input = describe_input(model.preprocessing);
  report.labels = describe_labels(options, made.labels.categories);
  report.left_out = made.labels.left_out;
  for (const TensorRequest& tensor : made.built.tensors) report.parameters += elements(tensor.shape);
  report.tensors = static_cast<std::int64_t>(made.built.tensors.size());
  report.bytes = static_cast<std::int64_t>(made.bytes);
  report.output = made.output;
  if (made.checkpoint) report.unused_tensors = unused_tensors(*made.checkpoint, *made.source, made.built.names);
  report.unused_overrides = made.config.unread_overrides;
  report.unused_keys = made.config.unread_keys;
  report.likely_mistakes = made.config.likely_mistakes;
  return report;
}

}  // namespace

ConvertReport convert(const ConvertOptions& options) {
  return reading(options.checkpoint ? options.checkpoint->string() : options.config,
                 [&] { return report_on(perform(options), options); });
}

}  // namespace maskrt::weights
