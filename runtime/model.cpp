#include "model.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "graph/rewrites/rewrites.h"
#include "input_image.h"
#include "input_size.h"
#include "runtime/support/public_call.h"

namespace maskrt {
namespace {

/// "auto" is the first GPU, or the CPU where no GPU can be had; `reason` then says why.
std::shared_ptr<Device> device_for(const std::string& name, std::string& reason) {
  if (name != "auto") return open_device(name);
  try {
    return open_device("cuda");
  } catch (const Error& error) {
    reason = error.what();
  }
  return open_device("cpu");
}

Precision precision_for(Compute compute, const Device& device) {
  if (compute == Compute::automatic) return device.default_precision();
  if (const std::optional<Precision> precision = precision_of(compute)) return *precision;
  throw Error("ModelOptions::precision: expected automatic, fp32, bf16, fp16 or tf32, found number " +
              std::to_string(static_cast<int>(compute)));
}

/// Makes outputs of the values that the caller wants to see, and gives them. A value that has a name of its own (not
/// just its node's) is one that people know: "all" keeps those.
std::vector<graph::ValueId> keep_values(graph::Graph& graph, const std::vector<std::string>& keep) {
  std::vector<graph::ValueId> kept;
  const auto keep_one = [&](graph::ValueId value) {
    if (!graph.is_output(value)) graph.outputs.push_back(value);
    kept.push_back(value);
  };
  for (const std::string& name : keep) {
    if (name == "all") {
      for (const graph::Node& node : graph.nodes)
        for (const graph::ValueId value : node.outputs)
          if (!std::holds_alternative<graph::Input>(node.operation) &&
              graph.values[static_cast<std::size_t>(value)].name != node.name)
            keep_one(value);
      continue;
    }
    const graph::ValueId value = graph.find(name);
    if (value < 0) throw Error("keep: expected a value of the network, found " + name);
    if (value != graph.nodes.front().output()) keep_one(value);  // the input is always there
  }
  return kept;
}

/// Has every run leave what instance activation maps are computed of, beside the values that the caller named.
void keep_activations(Model::Impl& impl, graph::LoweredNetwork& network) {
  if (!impl.activations)
    throw Error("expected a network with instance activation maps, found one with head " +
                std::string(graph::name_of(network.head)) + " that has none");
  const graph::ValueId value = impl.activations->value;
  if (!network.graph.is_output(value)) network.graph.outputs.push_back(value);
  network.kept.push_back(value);
  impl.activations_kept = true;
}

/// The numbers of all distinct tensors in the graph.
std::int64_t count_parameters(const graph::Graph& graph) {
  std::set<std::string> seen;
  std::int64_t count = 0;
  for (const graph::Node& node : graph.nodes)
    for (const graph::ConstantPtr& constant : graph::constants_of(node.operation))
      if (seen.insert(constant->name()).second) count += elements(constant->shape());
  return count;
}

}  // namespace

Model make_model(graph::ModelDescription description, const ModelOptions& options) {
  auto impl = std::make_shared<Model::Impl>();
  impl->description = std::move(description);
  graph::set_things(impl->description.head, impl->description.categories);
  impl->device = device_for(options.device, impl->device_reason);
  impl->precision = precision_for(options.precision, *impl->device);

  graph::LoweredNetwork network(impl->description.graph, impl->description.head);
  network.kept = keep_values(network.graph, options.keep);
  const auto name = [&](graph::ValueId value) { return network.graph.values[static_cast<std::size_t>(value)].name; };
  for (const graph::ValueId value : network.kept) impl->kept.insert(name(value));
  for (const graph::ValueId value : network.graph.outputs) impl->outputs.insert(name(value));
  impl->activations = graph::activation_source(network.graph, network.head);
  if (options.activations) keep_activations(*impl, network);
  std::set<std::string, std::less<>> off = options.rewrites_off;
  if (off.erase("all") != 0)
    for (const graph::Rewrite& rewrite : graph::rewrites()) off.emplace(rewrite.name);
  graph::rewrite(network.graph, network.head, off, impl->device->wanted_rewrites(),
                 impl->device->fused_kernels(impl->precision));
  impl->network = impl->device->prepare(std::move(network), impl->precision);
  if (options.deterministic) impl->network->measure_nothing();
  if (!options.tuning.empty()) impl->tuning_reason = impl->network->use_tuning(options.tuning);
  return Model(std::move(impl));
}

Model Model::load(const std::string& path, const ModelOptions& options) {
  return public_call("model", [&] { return make_model(graph::read_model(path), options); });
}

Model Model::load(std::span<const std::byte> file, const ModelOptions& options, const std::string& name) {
  return public_call("model", [&] {
    const std::shared_ptr<std::byte[]> copy(new std::byte[std::max<std::size_t>(file.size(), 1)]);
    std::copy(file.begin(), file.end(), copy.get());
    return load(copy, file.size(), options, name);
  });
}

Model Model::load(std::shared_ptr<const std::byte[]> file, std::size_t size, const ModelOptions& options,
                  const std::string& name) {
  return public_call("model", [&] {
    if (file == nullptr) throw Error(name + ": expected a model's bytes, found a null pointer");
    return make_model(graph::read_model(graph::in_memory(std::move(file), size, name)), options);
  });
}

Model::Model(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

ModelInfo Model::info() const {
  if (impl_ == nullptr) throw Error("model: expected one that was loaded, found one that was moved from");
  return public_call("model", [this] {
    const graph::ModelDescription& d = impl_->description;
    ModelInfo info;
    info.name = d.name;
    info.head = graph::name_of(d.head);
    const std::span<const Task> tasks = graph::tasks_of(d.head);
    info.tasks.assign(tasks.begin(), tasks.end());
    info.has_activations = impl_->activations.has_value();
    info.device = impl_->device->name();
    info.device_reason = impl_->device_reason;
    info.tuning_reason = impl_->tuning_reason;
    info.precision = name_of(impl_->precision);
    info.input = input_settings(d.preprocessing);
    info.categories = d.categories;
    info.parameters = count_parameters(d.graph);
    return info;
  });
}

InputSettings input_settings(const ModelInfo& model, const ResizeOptions& resize) {
  return public_call("model", [&] { return with_resize(model.input, resize); });
}

std::pair<int, int> input_size(const ModelInfo& model, std::span<const Image> images, const ResizeOptions& resize) {
  return public_call("model", [&] {
    std::vector<ImageToProcess> batch = images_to_process(images);
    const ImageSize size = fit(batch, with_resize(model.input, resize));
    return std::pair(size.height, size.width);
  });
}

}  // namespace maskrt
