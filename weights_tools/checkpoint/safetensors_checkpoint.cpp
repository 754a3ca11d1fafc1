#include "containers.h"
#include "graph/safetensors.h"
#include "state_dict.h"

namespace maskrt::weights {

Checkpoint read_safetensors(std::shared_ptr<const graph::ByteSource> file) {
  const auto source = graph::Safetensors::read(std::move(file));
  Checkpoint checkpoint{Container::safetensors, {}, {}};
  for (const auto& [full_name, view] : source.tensors) {
    const std::string name = plain_name(full_name);
    const bool floating = view.type == DataType::f64 || view.type == DataType::f32 || view.type == DataType::f16 ||
                          view.type == DataType::bf16;
    if (!floating) {
      checkpoint.ignored.push_back(name);
      continue;
    }
    CheckpointTensor tensor{view.type, view.shape, std::vector<std::int64_t>(view.shape.size()), 0,
                            std::make_shared<const std::vector<std::byte>>(view.read())};
    // Nobody steps through an empty tensor, whose other extents may be as large as they like.
    std::int64_t stride = elements(view.shape) == 0 ? 0 : 1;
    for (std::size_t axis = view.shape.size(); axis-- > 0; stride *= view.shape[axis]) tensor.strides[axis] = stride;
    if (!checkpoint.tensors.try_emplace(name, std::move(tensor)).second) {
      throw Error(source.source->name() + ": tensor \"" + full_name +
                  "\": expected every name once, found it with and without a \"module.\" prefix");
    }
  }
  if (checkpoint.tensors.empty()) {
    throw Error(source.source->name() + ": expected floating-point tensors, found " + std::to_string(source.tensors.size()) +
                " tensors of other types");
  }
  return checkpoint;
}

}  // namespace maskrt::weights
