#include "containers.h"
#include "element_type.h"
#include "graph/safetensors.h"

namespace maskrt::weights {
namespace {

using Bytes = std::vector<std::byte>;

Float8 float8_of(std::string_view dtype) {
  if (dtype == "F8_E4M3") return Float8::e4m3fn;
  if (dtype == "F8_E5M2") return Float8::e5m2;
  if (dtype == "F8_E4M3FNUZ") return Float8::e4m3fnuz;
  if (dtype == "F8_E5M2FNUZ") return Float8::e5m2fnuz;
  return Float8::none;
}

CheckpointTensor dense_tensor(DataType type, const Shape& shape, Bytes bytes, Float8 float8) {
  CheckpointTensor tensor{
      type, shape, std::vector<std::int64_t>(shape.size()), 0, std::make_shared<const Bytes>(std::move(bytes)), float8};
  // Nobody steps through an empty tensor, whose other extents may be as large as they like.
  std::int64_t stride = elements(shape) == 0 ? 0 : 1;
  for (std::size_t axis = shape.size(); axis-- > 0; stride *= shape[axis]) tensor.strides[axis] = stride;
  return tensor;
}

}  // namespace

Checkpoint read_safetensors(std::shared_ptr<const graph::ByteSource> file) {
  const auto source = graph::Safetensors::read(std::move(file), graph::OtherTypes::list);
  Checkpoint checkpoint{Container::safetensors, {}, {}, {}};
  const auto ignore = [&checkpoint](const std::string& name, std::string_view type) {
    checkpoint.ignored.push_back(name);
    checkpoint.other.emplace(name, "a tensor of " + std::string(type));
  };
  for (const auto& [name, view] : source.tensors) {
    const bool floating = ElementType{"", 0, view.type}.is_floating();
    if (floating)
      checkpoint.tensors.emplace(name, dense_tensor(view.type, view.shape, view.read(), Float8::none));
    else
      ignore(name, name_of(view.type));
  }
  for (const auto& [name, tensor] : source.others) {
    const Float8 float8 = float8_of(tensor.type);
    if (float8 == Float8::none || tensor.size != static_cast<std::size_t>(elements(tensor.shape))) {
      ignore(name, tensor.type);
      continue;
    }
    Bytes bytes(tensor.size);
    source.source->read(tensor.offset, bytes);
    checkpoint.tensors.emplace(name, dense_tensor(DataType::f32, tensor.shape, std::move(bytes), float8));
  }
  if (checkpoint.tensors.empty()) {
    throw Error(source.source->name() + ": expected floating-point tensors, found " +
                std::to_string(checkpoint.ignored.size()) + " tensors of other types");
  }
  return checkpoint;
}

}  // namespace maskrt::weights
