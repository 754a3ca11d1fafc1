#include "tools/safetensors.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "types.h"

namespace vgpu {
namespace {

double from_half(std::uint16_t h) {
  const double sign = (h & 0x8000) != 0 ? -1 : 1;
  const int exponent = h >> 10 & 31, fraction = h & 1023;
  if (exponent == 31) return fraction != 0 ? std::nan("") : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

template <class T>
T get(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

std::uint32_t Tensor::element_bytes() const {
  if (type == "F64" || type == "I64" || type == "U64") return 8;
  if (type == "F32" || type == "I32" || type == "U32") return 4;
  if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 2;
  return 1;
}

double Tensor::value(std::size_t index) const {
  const std::uint8_t* at = bytes.data() + index * element_bytes();
  if (type == "F64") return get<double>(at);
  if (type == "F32") return static_cast<double>(get<float>(at));
  if (type == "F16") return from_half(get<std::uint16_t>(at));
  if (type == "BF16") {
    const std::uint32_t bits = static_cast<std::uint32_t>(get<std::uint16_t>(at)) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return static_cast<double>(value);
  }
  if (type == "I64") return static_cast<double>(get<std::int64_t>(at));
  if (type == "I32") return get<std::int32_t>(at);
  if (type == "U32") return get<std::uint32_t>(at);
  if (type == "I16") return get<std::int16_t>(at);
  if (type == "I8") return get<std::int8_t>(at);
  if (type == "U8" || type == "BOOL") return *at;
  throw Error("expected a tensor of numbers, found type " + type);
}

std::map<std::string, Tensor> read_safetensors(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || all.size() < 8) throw Error("expected a safetensors file at " + path.string());
  std::uint64_t length = 0;
  std::memcpy(&length, all.data(), 8);
  if (length > all.size() - 8) throw Error("expected a header that fits in " + path.string());
  std::map<std::string, Tensor> tensors;
  try {
    const auto header = nlohmann::json::parse(all.begin() + 8, all.begin() + 8 + static_cast<std::ptrdiff_t>(length));
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      Tensor tensor;
      tensor.type = entry.at("dtype").get<std::string>();
      tensor.shape = entry.at("shape").get<std::vector<std::int64_t>>();
      const auto begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
      const auto end = entry.at("data_offsets").at(1).get<std::uint64_t>();
      if (begin > end || end > all.size() - 8 - length)
        throw Error("expected tensor " + name + " inside " + path.string());
      const char* data = all.data() + 8 + length;
      tensor.bytes.assign(data + begin, data + end);
      tensors[name] = std::move(tensor);
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error("expected a safetensors header in " + path.string() + ": " + e.what());
  }
  return tensors;
}

}  // namespace vgpu
