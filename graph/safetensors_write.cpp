#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

#include "atomic_file.h"
#include "safetensors.h"
#include "safetensors_format.h"

namespace maskrt::graph {

SafetensorsLayout lay_out(const std::vector<TensorToWrite>& tensors,
                          const std::map<std::string, std::string>& metadata) {
  // The format allows no holes, so alignment comes from the order: wide elements first, and every tensor starts at a
  // multiple of its own element size.
  std::vector<const TensorToWrite*> order;
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorToWrite* a, const TensorToWrite* b) {
    return size_of(a->type) != size_of(b->type) ? size_of(a->type) > size_of(b->type) : a->name < b->name;
  });

  SafetensorsLayout layout;
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto* tensor : order) {
    if (header.contains(tensor->name))
      throw Error("expected tensors of different names, found two named " + tensor->name);
    std::uint64_t bytes = size_of(tensor->type);
    for (const auto extent : tensor->shape)
      if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes))
        throw Error("tensor " + tensor->name + ": expected a shape whose bytes can be counted, found " +
                    to_string(tensor->shape));
    if (bytes != tensor->bytes.size())
      throw Error("tensor " + tensor->name + ": expected " + std::to_string(bytes) + " bytes for shape " +
                  to_string(tensor->shape) + ", found " + std::to_string(tensor->bytes.size()));
    header[tensor->name] = {{"dtype", safetensors_name(tensor->type)},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
    layout.data.push_back(tensor->bytes);
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error("expected tensor names and metadata in UTF-8, found other bytes");
  }
  constexpr std::size_t alignment = 256;
  const auto padded = (8 + text.size() + alignment - 1) / alignment * alignment - 8;
  if (padded > kMostHeaderBytes)
    throw Error("expected names, shapes and metadata of at most " + std::to_string(kMostHeaderBytes) +
                " bytes, found " + std::to_string(text.size()));
  text.resize(padded, ' ');
  const auto length = static_cast<std::uint64_t>(padded);
  layout.header.resize(8);
  std::memcpy(layout.header.data(), &length, 8);
  layout.header += text;
  return layout;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const auto layout = lay_out(tensors, metadata);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(layout.header)));
  for (const auto part : layout.data) file.write(part);
  file.commit();
}

}  // namespace maskrt::graph
