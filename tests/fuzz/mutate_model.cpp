// Mutates model files part by part, so that what comes out is mostly a file with another graph, other metadata or other
// numbers, whose header and checksum are right.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "graph/checksum.h"
#include "target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using Json = nlohmann::ordered_json;
using Random = std::minstd_rand;

struct ModelFile {
  Json header;
  std::vector<std::uint8_t> data;
};

bool parse(const std::uint8_t* bytes, std::size_t size, ModelFile& file) {
  std::uint64_t length = 0;
  if (size < sizeof length) return false;
  std::memcpy(&length, bytes, sizeof length);
  if (length > size - sizeof length || length > 1 << 20) return false;
  const char* const text = reinterpret_cast<const char*>(bytes) + sizeof length;
  file.header = Json::parse(text, text + length, nullptr, false);
  file.data.assign(bytes + sizeof length + length, bytes + size);
  return file.header.is_object() && file.header.contains("__metadata__") && file.header["__metadata__"].is_object();
}

std::size_t store(const ModelFile& file, std::uint8_t* bytes, std::size_t most) {
  std::string text = file.header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  if (sizeof length + length + file.data.size() > most) return 0;
  std::memcpy(bytes, &length, sizeof length);
  std::memcpy(bytes + sizeof length, text.data(), length);
  if (!file.data.empty()) std::memcpy(bytes + sizeof length + length, file.data.data(), file.data.size());
  return sizeof length + length + file.data.size();
}

void correct_checksum(std::uint8_t* bytes, std::size_t size) {
  using namespace maskrt::graph;
  const auto at = find_checksum({reinterpret_cast<const char*>(bytes), size});
  if (!at) return;
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(bytes, size))};
  const std::string digits = checksum(parts, *at);
  std::memcpy(bytes + *at, digits.data(), digits.size());
}

/// A string as the fuzzer's own mutations change it.
std::string mutated(std::string text) {
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.resize(text.size() + 64);
  const std::size_t size = LLVMFuzzerMutate(bytes.data(), text.size(), bytes.size());
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

template <typename Container>
auto& any_of(Container& container, Random& random) {
  return container[random() % std::size(container)];
}

Json other_number(const Json& value, Random& random) {
  static constexpr int special[] = {0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 32, 63, 64, 100, 1024, 1 << 20};
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number_integer() && random() % 2 == 0)
    return value.get<std::int64_t>() + static_cast<std::int64_t>(random() % 5) - 2;
  if (value.is_number_float() && random() % 2 == 0)
    return value.get<double>() * (static_cast<double>(random() % 9) / 4);
  if (value.is_number()) return any_of(special, random);
  return value;
}

/// One change of one node: an attribute, an input, its operation; or a node more or less; or other outputs.
void change_graph(Json& graph, Random& random) {
  if (!graph.is_object() || !graph.contains("nodes") || !graph["nodes"].is_array() || graph["nodes"].empty()) return;
  Json& nodes = graph["nodes"];
  const std::size_t index = random() % nodes.size();
  Json& node = nodes[index];
  if (!node.is_object() || !node.contains("inputs") || !node.contains("output")) return;
  const Json any_value = nodes[random() % nodes.size()].value("output", Json("input"));
  switch (random() % 8) {
    case 0:
    case 1: {
      std::vector<Json*> numbers;
      for (auto& [key, value] : node.items())
        if (value.is_number() || value.is_boolean()) numbers.push_back(&value);
      if (numbers.empty()) return;
      Json& value = *any_of(numbers, random);
      value = other_number(value, random);
      return;
    }
    case 2:
      if (node["inputs"].is_array() && !node["inputs"].empty())
        node["inputs"][random() % node["inputs"].size()] = any_value;
      return;
    case 3: {  // the node once more, and who reads it reads the copy
      Json copy = node;
      copy["name"] = copy["output"] = "copy" + std::to_string(random() % 1000);
      if (copy["inputs"].is_array() && !copy["inputs"].empty() && random() % 2 == 0) copy["inputs"][0] = node["output"];
      nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(index) + 1, copy);
      return;
    }
    case 4: {  // who read the node reads its input
      if (!node["inputs"].is_array() || node["inputs"].empty()) return;
      const Json output = node["output"], input = node["inputs"][0];
      nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(index));
      for (Json& reader : nodes)
        if (reader.is_object() && reader.contains("inputs"))
          for (Json& one : reader["inputs"])
            if (one == output) one = input;
      return;
    }
    case 5:
      if (!graph["outputs"].is_array()) return;
      if (random() % 2 == 0 || graph["outputs"].empty())
        graph["outputs"].push_back(any_value);
      else
        graph["outputs"][random() % graph["outputs"].size()] = any_value;
      return;
    case 6: {
      static constexpr const char* plain[] = {"activate",    "normalise_maps",   "softmax_maps",
                                              "coordinates", "max_pool",         "add",
                                              "concat",      "upsample_nearest", "resize_bilinear"};
      Json made{{"name", "new" + std::to_string(random() % 1000)}, {"op", any_of(plain, random)}, {"version", 1}};
      made["inputs"] = Json::array({node["output"]});
      if (random() % 3 == 0) made["inputs"].push_back(any_value);
      made["output"] = made["name"];
      if (made["op"] == "activate") made["activation"] = random() % 2 == 0 ? "relu" : "sigmoid";
      if (made["op"] == "normalise_maps") made["epsilon"] = 1e-6;
      if (made["op"] == "max_pool") made.update({{"kernel", 3}, {"stride", 1 + random() % 2}, {"padding", 1}});
      if (made["op"] == "upsample_nearest") made["factor"] = 2;
      if (made["op"] == "resize_bilinear") made["factor"] = made["inputs"].size() == 1 ? 2.0 : 0.0;
      const Json output = node["output"], name = made["output"];
      for (std::size_t i = index + 1; i < nodes.size(); ++i)
        for (Json& one : nodes[i]["inputs"])
          if (one == output) one = name;
      nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(index) + 1, made);
      return;
    }
    default:
      if (node.contains("activation"))
        node["activation"] = random() % 3 == 0 ? "none" : random() % 2 == 0 ? "relu" : "sigmoid";
  }
}

/// A tensor grows or shrinks along one axis, and all behind it move.
void change_shape(ModelFile& file, Random& random) {
  std::vector<Json*> tensors;
  for (auto& [name, tensor] : file.header.items())
    if (name != "__metadata__" && tensor.is_object() && tensor.contains("shape") && tensor.contains("data_offsets"))
      tensors.push_back(&tensor);
  if (tensors.empty()) return;
  Json& tensor = *any_of(tensors, random);
  Json& shape = tensor["shape"];
  if (!shape.is_array() || shape.empty()) return;
  Json& extent = any_of(shape, random);
  if (!extent.is_number_unsigned() || extent.get<std::uint64_t>() > 64) return;
  extent = std::max<std::uint64_t>(1, extent.get<std::uint64_t>() + random() % 5 - 2);
  Json& offsets = tensor["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    return;
  const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
  if (begin > end || end > file.data.size()) return;
  std::uint64_t wanted = tensor.value("dtype", "") == "F32" ? 4 : 2;
  for (const Json& one : shape) {
    if (!one.is_number_unsigned() || one.get<std::uint64_t>() > 4096) return;
    wanted *= one.get<std::uint64_t>();
  }
  if (wanted > 1 << 16) return;
  const auto at = file.data.begin() + static_cast<std::ptrdiff_t>(end);
  if (wanted >= end - begin) {
    file.data.insert(at, wanted - (end - begin), 0x3d);
  } else {
    file.data.erase(at - static_cast<std::ptrdiff_t>(end - begin - wanted), at);
  }
  for (Json* other : tensors)
    for (Json& offset : (*other)["data_offsets"])
      if (offset.is_number_unsigned() && offset.get<std::uint64_t>() >= end)
        offset = offset.get<std::uint64_t>() + wanted - (end - begin);
}

void change(ModelFile& file, Random& random) {
  Json& metadata = file.header["__metadata__"];
  switch (random() % 8) {
    case 0: {
      std::vector<Json*> texts;
      for (auto& [key, value] : metadata.items())
        if (value.is_string() && key != "maskrt.checksum" && key != "maskrt.format") texts.push_back(&value);
      if (texts.empty()) return;
      Json& text = *any_of(texts, random);
      text = mutated(text.get<std::string>());
      return;
    }
    case 1:
      if (!file.data.empty()) {
        const std::size_t kept = file.data.size();
        file.data.resize(LLVMFuzzerMutate(file.data.data(), kept, kept));
        file.data.resize(kept);
      }
      return;
    case 2:
      return change_shape(file, random);
    default: {
      if (!metadata.contains("maskrt.graph") || !metadata["maskrt.graph"].is_string()) return;
      Json graph = Json::parse(metadata["maskrt.graph"].get<std::string>(), nullptr, false);
      if (graph.is_discarded()) return;
      for (unsigned changes = 1 + random() % 3; changes > 0; --changes) change_graph(graph, random);
      metadata["maskrt.graph"] = graph.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  Random random(seed + 1);
  ModelFile file;
  std::size_t made = 0;
  if (random() % 16 != 0 && parse(data, size, file)) {
    try {
      change(file, random);
      made = store(file, data, most);
    } catch (const Json::exception&) {  // a header of other types than a model's
    }
  }
  if (made == 0) made = LLVMFuzzerMutate(data, size, most);
  correct_checksum(data, made);
  return made;
}
