#include "convert.h"

#include <algorithm>
#include <cstdio>
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
#include "weights_tools/config/known_keys.h"
#include "weights_tools/config/sparse_inst_config.h"
#include "weights_tools/models/models.h"
#include "weights_tools/models/random_weights.h"

namespace maskrt::weights {
namespace {

namespace fs = std::filesystem;

std::string format(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string describe_input(const InputConfig& input) {
  const std::string order = input.rgb ? "RGB" : "BGR";
  const std::string padding = ", padded to multiples of 32";
  if (input.min_size == 0) return order + ", not resized" + padding;
  return order + ", shortest edge " + std::to_string(input.min_size) + ", longest at most " +
         std::to_string(input.max_size) + padding;
}

// Widths as they are in the tensors, which may differ from the config's.
std::string describe_network(const SparseInstConfig& config, const graph::Graph& graph) {
  const auto rows_of = [&graph](const char* node) {
    for (const auto& one : graph.nodes) {
      if (one.name != node) continue;
      if (const auto* const conv = std::get_if<graph::Conv>(&one.operation))
        return std::to_string(conv->weight->shape()[0]);
    }
    return std::string("?");
  };
  const auto& decoder = config.decoder;
  std::string text = std::to_string(decoder.classes) + " classes, " + std::to_string(decoder.masks) + " masks";
  if (decoder.name != "BaseIAMDecoder") text += ", " + std::to_string(decoder.groups) + " groups";
  text += "; widths: stem " + rows_of("backbone.stem.conv1") + ", encoder " + rows_of("encoder.fusion") +
          ", branches " + rows_of("decoder.inst_branch.inst_convs.0") + " and " +
          rows_of("decoder.mask_branch.mask_convs.0") + ", kernel " + rows_of("decoder.mask_branch.projection");
  return text + "; thresholds: score " + format(config.score_threshold) + ", mask " + format(config.mask_threshold);
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

AlignedNames align(const Checkpoint& checkpoint, const SparseInstConfig& config, const ConvertOptions& options) {
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

void write(const fs::path& path, const BuiltModel& built, const WeightSource& source, ConvertReport& report) {
  std::vector<StoredTensor> stored;
  stored.reserve(built.constants.size());  // the written tensors point into it
  std::vector<graph::TensorToWrite> tensors;
  for (const auto& constant : built.constants) {
    stored.push_back(source.stored(constant->name(), constant->shape()));
    tensors.push_back({constant->name(), stored.back().type, constant->shape(), stored.back().bytes});
    report.parameters += elements(constant->shape());
  }
  report.tensors = static_cast<std::int64_t>(tensors.size());
  report.bytes = static_cast<std::int64_t>(graph::write_model(path, built.description, tensors));
  report.output = path;
}

ConvertReport convert_model(const ConvertOptions& options) {
  Config config = find_config(options.config);
  apply_overrides(config, options.overrides);
  const std::string config_name = config.name;
  config.name = with_escaped_bytes(config_name);  // of a file, whose name may be in any encoding
  if (options.name) config.name = *options.name;
  if (!is_utf8(config.name)) throw Error("--name: expected text in UTF-8, found other bytes");
  const SparseInstConfig parsed = read_sparse_inst_config(config);

  const fs::path stem = options.checkpoint ? options.checkpoint->stem() : fs::path(config_name);
  const fs::path output = options.output.value_or(stem.string() + ".maskrt");
  check_output(output, options, config.files);

  // Whatever can be refused without the weights is refused before a large file is read.
  check_supported(parsed);
  const Labels labels = options.labels ? read_labels(*options.labels, parsed.decoder.classes)
                                       : Labels{default_categories(parsed.decoder.classes), {}};

  ConvertReport report;
  std::shared_ptr<const Checkpoint> checkpoint;
  std::shared_ptr<const WeightSource> source;
  if (options.checkpoint) {
    checkpoint = std::make_shared<const Checkpoint>(read_checkpoint(*options.checkpoint));
    report.source = options.checkpoint->string() + ": " + std::string(name_of(checkpoint->container)) + ", " +
                    std::to_string(checkpoint->tensors.size()) + " tensors";
    auto names = align(*checkpoint, parsed, options);
    report.names = names.report;
    source = checkpoint_weights(checkpoint, std::move(names.in_file));
  } else {
    report.source = "random weights";
    source = random_weights(parsed);
  }

  constexpr std::size_t kShown = 8, kAll = std::size_t{1} << 20;
  BuiltModel built = build_model(parsed, source, options.all_problems ? kAll : kShown);
  built.description.categories = labels.categories;
  report.model = summary(parsed);
  report.network = describe_network(parsed, built.description.graph);
  report.input = describe_input(parsed.input);
  report.labels = describe_labels(options, labels.categories);
  report.left_out = labels.left_out;
  if (checkpoint) report.unused_tensors = unused_tensors(*checkpoint, *source, built.names);
  for (const auto& key : parsed.unread) {
    const bool overridden = std::any_of(options.overrides.begin(), options.overrides.end(),
                                        [&](const auto& pair) { return pair.first == key; });
    (overridden ? report.unused_overrides : report.unused_keys).push_back(key);
  }
  report.likely_mistakes = likely_mistakes(report.unused_keys);
  write(output, built, *source, report);
  return report;
}

}  // namespace

ConvertReport convert(const ConvertOptions& options) {
  return reading(options.checkpoint ? options.checkpoint->string() : options.config,
                 [&] { return convert_model(options); });
}

}  // namespace maskrt::weights
