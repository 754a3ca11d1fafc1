#include "positions_file.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "graph/safetensors.h"

namespace maskrt::cli {
namespace {

constexpr const char* kTensor = "query_positions";

/// "class_logits, input and 3 more"
std::string names_of(const graph::Safetensors& file) {
  constexpr std::size_t most = 6;
  std::string text;
  std::size_t named = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (named == most) break;
    text += (named++ == 0 ? "" : ", ") + name;
  }
  if (file.tensors.size() > most) text += " and " + std::to_string(file.tensors.size() - most) + " more";
  return text.empty() ? "no tensors" : text;
}

template <typename Number>
std::vector<std::int64_t> whole_numbers(const graph::TensorView& tensor) {
  const std::vector<std::byte> bytes = tensor.read();
  std::vector<std::int64_t> numbers;
  for (std::size_t at = 0; at + sizeof(Number) <= bytes.size(); at += sizeof(Number)) {
    Number number{};
    std::memcpy(&number, bytes.data() + at, sizeof number);
    if constexpr (std::is_floating_point_v<Number>) {
      constexpr Number exact = 1 << 24;  // beyond it fp32 has not every whole number
      if (!(std::abs(number) <= exact) || number != std::trunc(number))
        throw Error("expected whole numbers up to 2^24 in " + std::string(kTensor) + ", found " +
                    std::to_string(number) + " at place " + std::to_string(at / sizeof number));
    }
    numbers.push_back(static_cast<std::int64_t>(number));
  }
  return numbers;
}

QueryPositions positions_in(const graph::Safetensors& file) {
  const auto found = file.tensors.find(kTensor);
  if (found == file.tensors.end())
    throw Error("expected a tensor " + std::string(kTensor) + ", found " + names_of(file));
  const graph::TensorView& tensor = found->second;
  const Shape& shape = tensor.shape;
  if (shape.size() != 2 && !(shape.size() == 3 && shape[2] == 1))
    throw Error("expected " + std::string(kTensor) + " as [images, queries] or [images, queries, 1], found " +
                to_string(shape));
  QueryPositions positions;
  positions.images = shape[0];
  positions.queries = shape[1];
  switch (tensor.type) {
    case DataType::i64:
      positions.values = whole_numbers<std::int64_t>(tensor);
      break;
    case DataType::i32:
      positions.values = whole_numbers<std::int32_t>(tensor);
      break;
    case DataType::f32:
      positions.values = whole_numbers<float>(tensor);
      break;
    default:
      throw Error("expected " + std::string(kTensor) + " as int64, int32 or, as dump writes it, fp32, found " +
                  std::string(name_of(tensor.type)));
  }
  return positions;
}

}  // namespace

QueryPositions read_query_positions(const std::filesystem::path& path) {
  const graph::Safetensors file = graph::Safetensors::read(path);  // whose errors name the file
  try {
    QueryPositions positions = positions_in(file);
    positions.name = path.string() + ": " + kTensor;
    return positions;
  } catch (const Error& error) {
    throw Error(path.string() + ": " + error.what());
  }
}

}  // namespace maskrt::cli
