#include "tools/launch_file.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "machine/tensor_map.h"
#include "tools/safetensors.h"

namespace vgpu {
namespace {

using Json = nlohmann::json;

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("expected a file at " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Dim3 dim3_from(const Json& list) {
  return {list.at(0).get<std::uint32_t>(), list.at(1).get<std::uint32_t>(), list.at(2).get<std::uint32_t>()};
}

struct Buffers {
  Memory& memory;
  const std::map<std::string, Tensor>& tensors;
  std::map<std::string, std::uint64_t> addresses;

  std::uint64_t of(const std::string& name) {
    if (const auto it = addresses.find(name); it != addresses.end()) return it->second;
    const auto tensor = tensors.find(name);
    if (tensor == tensors.end()) throw Error("expected a tensor named " + name);
    const std::uint64_t address = memory.allocate(tensor->second.bytes.size());
    if (address == 0) throw Error("expected device memory for tensor " + name + ", found none left");
    memory.write(address, tensor->second.bytes.data(), tensor->second.bytes.size());
    return addresses[name] = address;
  }
};

std::array<std::uint8_t, 128> tensor_map(const Json& param, const Tensor& tensor, std::uint64_t address) {
  TensorMap map;
  map.address = address;
  map.rank = static_cast<std::uint32_t>(tensor.shape.size());
  map.element_bytes = tensor.element_bytes();
  map.swizzle_bytes = param.at("swizzle_bytes").get<std::uint32_t>();
  std::uint64_t stride = map.element_bytes;
  for (std::uint32_t i = 0; i < map.rank; ++i) {
    // The file lists the outermost dimension first, a tensor map the innermost.
    const std::size_t from = map.rank - 1 - i;
    map.sizes[i] = static_cast<std::uint64_t>(tensor.shape[from]);
    map.box[i] = param.at("box").at(from).get<std::uint32_t>();
    map.strides[i] = stride;
    stride *= map.sizes[i];
  }
  return map.encode();
}

template <class T>
void append(std::vector<std::uint8_t>& params, const ParamSlot& slot, const T& value) {
  if (sizeof(T) != slot.bytes) {
    throw Error("expected a parameter of " + std::to_string(slot.bytes) + " bytes, found one of " +
                std::to_string(sizeof(T)));
  }
  params.resize(slot.offset + slot.bytes);
  std::memcpy(params.data() + slot.offset, &value, sizeof value);
}

std::vector<std::uint8_t> parameters(const Json& list, const Program& kernel, Buffers& buffers) {
  if (list.size() != kernel.parameters.size()) {
    throw Error("expected " + std::to_string(kernel.parameters.size()) + " parameters, found " +
                std::to_string(list.size()));
  }
  std::vector<std::uint8_t> params;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json& param = list[i];
    const ParamSlot& slot = kernel.parameters[i];
    const auto kind = param.at("kind").get<std::string>();
    if (kind == "pointer") {
      std::uint64_t address = 0;
      if (!param.at("tensor").is_null()) address = buffers.of(param.at("tensor").get<std::string>());
      append(params, slot, address);
    } else if (kind == "i32") {
      append(params, slot, param.at("value").get<std::int32_t>());
    } else if (kind == "i64") {
      append(params, slot, param.at("value").get<std::int64_t>());
    } else if (kind == "f32") {
      append(params, slot, param.at("value").get<float>());
    } else if (kind == "tensormap") {
      const auto name = param.at("tensor").get<std::string>();
      const std::uint64_t address = buffers.of(name);
      append(params, slot, tensor_map(param, buffers.tensors.at(name), address));
    } else {
      throw Error("expected a parameter of kind pointer, i32, i64, f32 or tensormap, found " + kind);
    }
  }
  return params;
}

void compare(const std::string& name, Buffers& buffers, double limit, LaunchOutcome& outcome) {
  Tensor got = buffers.tensors.at(name);
  const Tensor& want = buffers.tensors.at(name + ".expected");
  const std::uint64_t address = buffers.of(name);
  if (!buffers.memory.defined(address, got.bytes.size())) {
    outcome.message = name + ": some elements were never defined";
    return;
  }
  buffers.memory.read(address, got.bytes.data(), got.bytes.size());
  if (got.elements() != want.elements())
    throw Error("expected as many elements in " + name + " as in " + name + ".expected");
  double error = 0, size = 0, worst = -1;
  std::size_t at = 0;
  for (std::size_t i = 0; i < want.elements(); ++i) {
    const double difference = std::fabs(got.value(i) - want.value(i));
    error += difference * difference;
    size += want.value(i) * want.value(i);
    if (!(difference <= worst)) {
      worst = difference;
      at = i;
    }
  }
  const double rms = error == 0 ? 0 : std::sqrt(error / (size > 0 ? size : 1));
  if (!(rms <= outcome.worst_rms)) outcome.worst_rms = rms;
  if (!(rms <= limit)) {
    std::ostringstream text;
    text << name << "[" << at << "]: got " << got.value(at) << ", want " << want.value(at) << "; relative rms " << rms
         << ", bound " << limit;
    outcome.message = text.str();
  }
}

}  // namespace

LaunchOutcome run_launch_file(const std::filesystem::path& path, const Settings& settings) {
  LaunchOutcome outcome;
  try {
    const Json json = Json::parse(read_text(path));
    Settings with = settings;
    with.compute_capability = json.at("compute_capability").get<int>();
    outcome.device = std::make_unique<Device>(with);
    Device& device = *outcome.device;
    outcome.module = device.load(read_text(std::filesystem::path(path).replace_extension(".ptx")));
    const auto entry = json.at("entry").get<std::string>();
    outcome.kernel = outcome.module->entry(entry);
    if (outcome.kernel == nullptr) throw Error("expected an entry named " + entry);
    const auto tensors = read_safetensors(std::filesystem::path(path).replace_extension(".safetensors"));
    Buffers buffers{device.memory(), tensors, {}};
    LaunchConfig config;
    config.grid = dim3_from(json.at("grid"));
    config.block = dim3_from(json.at("block"));
    if (json.contains("cluster")) config.cluster = dim3_from(json.at("cluster"));
    config.dynamic_shared = json.at("dynamic_shared").get<std::uint32_t>();
    const std::vector<std::uint8_t> params = parameters(json.at("params"), *outcome.kernel, buffers);
    LaunchResult result = device.launch(*outcome.module, *outcome.kernel, config, params);
    outcome.seconds = result.seconds;
    outcome.counts = std::move(result.counts);
    outcome.report = std::move(result.report);
    if (outcome.report) {
      outcome.message =
          std::string(name_of(outcome.report->check)) + ", PTX line " + std::to_string(outcome.report->ptx_line);
    } else {
      for (const auto& name : json.at("outputs"))
        compare(name.get<std::string>(), buffers, json.at("relative_rms").get<double>(), outcome);
    }
  } catch (const Json::exception& e) {
    throw Error(path.string() + ": expected a launch, found " + e.what());
  }
  outcome.passed = outcome.message.empty();
  return outcome;
}

}  // namespace vgpu
