#include "checkpoint.h"

#include <algorithm>
#include <cstring>

#include "containers.h"
#include "graph/byte_source.h"
#include "graph/file_kind.h"
#include "graph/reading.h"

namespace maskrt::weights {
namespace {

// Calls visit(index in the storage, in elements) for each element, last axis fastest. Gives up no order for speed: the
// inner loop is a plain strided one.
template <typename Visit>
void for_each_element(const CheckpointTensor& tensor, const Visit& visit) {
  const std::size_t rank = tensor.shape.size();
  if (elements(tensor.shape) == 0) return;
  if (rank == 0) return visit(tensor.offset);
  const auto inner = tensor.shape.back(), step = tensor.strides.back();
  std::vector<std::int64_t> index(rank, 0);
  std::int64_t start = tensor.offset;
  for (;;) {
    for (std::int64_t i = 0; i < inner; ++i) visit(start + i * step);
    // Odometer over the outer axes.
    std::size_t axis = rank - 1;
    for (;; --axis) {
      if (axis == 0) return;
      start += tensor.strides[axis - 1];
      if (++index[axis - 1] < tensor.shape[axis - 1]) break;
      start -= tensor.strides[axis - 1] * tensor.shape[axis - 1];
      index[axis - 1] = 0;
    }
  }
}

template <typename T>
T load(const std::byte* storage, std::int64_t index) {
  T value;
  std::memcpy(&value, storage + static_cast<std::size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

// What tells the containers apart, and what a message shows of others.
constexpr std::size_t kStartBytes = 16;

bool starts_with(std::span<const std::byte> bytes, std::string_view prefix) {
  return bytes.size() >= prefix.size() && std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0;
}

// Protocols 2 to 5 start with PROTO, 0 and 1 with whatever builds a dict.
bool is_pickle(std::span<const std::byte> bytes) {
  return !bytes.empty() && (bytes[0] == std::byte{0x80} || bytes[0] == std::byte{'('} || bytes[0] == std::byte{'}'} ||
                            bytes[0] == std::byte{'c'});
}

// The first bytes of a file, for a message.
std::string describe_start(std::span<const std::byte> bytes) {
  const auto kind = graph::recognise(bytes);
  if (bytes.empty()) return "an empty file";
  std::string text;
  for (const auto byte : bytes.first(std::min<std::size_t>(bytes.size(), 12))) {
    const auto c = std::to_integer<unsigned char>(byte);
    constexpr char kDigits[] = "0123456789abcdef";
    if (c >= 0x20 && c < 0x7f) {
      text += static_cast<char>(c);
    } else {
      text += {'\\', 'x', kDigits[c >> 4], kDigits[c & 15u]};
    }
  }
  return (kind ? std::string(kind->name) : "a file") + " that starts with \"" + text + "\"";
}

}  // namespace

std::vector<std::byte> CheckpointTensor::dense() const {
  if (float8 != Float8::none) {
    const auto values = to_floats();
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
  }
  const std::size_t size = size_of(type);
  std::vector<std::byte> bytes(static_cast<std::size_t>(elements(shape)) * size);
  std::byte* out = bytes.data();
  for_each_element(*this, [&](std::int64_t index) {
    std::memcpy(out, storage->data() + static_cast<std::size_t>(index) * size, size);
    out += size;
  });
  return bytes;
}

std::vector<float> CheckpointTensor::to_floats() const {
  std::vector<float> values(static_cast<std::size_t>(elements(shape)));
  float* out = values.data();
  const std::byte* in = storage->data();
  const auto convert = [&](auto element) {
    for_each_element(*this, [&](std::int64_t index) { *out++ = static_cast<float>(element(index)); });
  };
  if (float8 != Float8::none) {
    convert([&](auto i) { return float_from_float8(float8, load<std::uint8_t>(in, i)); });
    return values;
  }
  switch (type) {
    case DataType::f64:
      convert([&](auto i) { return load<double>(in, i); });
      break;
    case DataType::f32:
      convert([&](auto i) { return load<float>(in, i); });
      break;
    case DataType::f16:
      convert([&](auto i) { return float_from_f16(load<std::uint16_t>(in, i)); });
      break;
    case DataType::bf16:
      convert([&](auto i) { return float_from_bf16(load<std::uint16_t>(in, i)); });
      break;
    case DataType::i64:
      convert([&](auto i) { return load<std::int64_t>(in, i); });
      break;
    case DataType::i32:
      convert([&](auto i) { return load<std::int32_t>(in, i); });
      break;
    case DataType::i16:
      convert([&](auto i) { return load<std::int16_t>(in, i); });
      break;
    case DataType::i8:
      convert([&](auto i) { return load<std::int8_t>(in, i); });
      break;
    case DataType::u8:
      convert([&](auto i) { return load<std::uint8_t>(in, i); });
      break;
    case DataType::boolean:
      convert([&](auto i) { return load<std::uint8_t>(in, i) != 0 ? 1 : 0; });
      break;
  }
  return values;
}

std::string_view name_of(Container container) {
  switch (container) {
    case Container::pytorch_zip:
      return "PyTorch zip archive";
    case Container::pytorch_legacy:
      return "PyTorch legacy file";
    case Container::plain_pickle:
      return "pickle";
    case Container::safetensors:
      return "safetensors file";
  }
  return "unknown";
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  return reading(path.string(), [&] {
    const auto source = graph::open_file(path);
    std::vector<std::byte> bytes(std::min<std::size_t>(source->size(), kStartBytes));
    try {
      source->read(0, bytes);
      if (graph::is_safetensors(bytes)) return read_safetensors(source);
      // A copy of the whole file: one that a training overwrites meanwhile must not take the converter down.
      bytes.resize(source->size());
      source->read(0, bytes);
      if (starts_with(bytes, "PK\x03\x04") || starts_with(bytes, "PK\x05\x06")) return read_torch_zip(bytes);
      if (is_pickle(bytes)) return read_pickle(bytes);
      throw Error(
          "expected a checkpoint (PyTorch's zip or legacy container, a pickle of arrays, or safetensors), found " +
          describe_start(bytes));
    } catch (const Error& error) {
      const std::string where = path.string() + ": ";
      if (std::string_view(error.what()).starts_with(where)) throw;
      throw Error(where + error.what());
    }
  });
}

}  // namespace maskrt::weights
