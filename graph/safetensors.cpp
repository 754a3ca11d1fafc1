// The reader: nothing is taken from a file before all of its header has been found consistent.
#include "safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "checksum.h"
#include "safetensors_format.h"
#include "strict_json.h"

namespace maskrt::graph {
namespace {

constexpr std::array<std::pair<std::string_view, DataType>, 10> kTypeNames = {{{"F64", DataType::f64},
                                                                               {"F32", DataType::f32},
                                                                               {"F16", DataType::f16},
                                                                               {"BF16", DataType::bf16},
                                                                               {"I64", DataType::i64},
                                                                               {"I32", DataType::i32},
                                                                               {"I16", DataType::i16},
                                                                               {"I8", DataType::i8},
                                                                               {"U8", DataType::u8},
                                                                               {"BOOL", DataType::boolean}}};

/// One element of type T at any address, as float.
template <typename T>
float element(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<float>(value);
}

/// A tensor's place in the data section.
struct Entry {
  std::string name;
  TensorView view;
  std::optional<std::string> other_type;  ///< a dtype that is not the view's
  std::uint64_t begin = 0, end = 0;
};

class Header {
 public:
  Header(Safetensors& result, OtherTypes other_types)
      : result_(result), where_(result.source->name()), other_types_(other_types) {}

  void read() {
    const std::size_t file_bytes = result_.source->size();
    if (file_bytes < kLengthBytes)
      fail("expected a safetensors file of at least 8 bytes, found " + std::to_string(file_bytes));
    std::uint64_t length = 0;
    take(0, std::as_writable_bytes(std::span(&length, 1)));
    if (length > file_bytes - kLengthBytes)
      fail("expected a safetensors header that fits the file's " + std::to_string(file_bytes) +
           " bytes, found a length of " + std::to_string(length));
    if (length > kMostHeaderBytes)
      fail("expected a safetensors header of at most 100000000 bytes, found " + std::to_string(length));
    result_.header.resize(kLengthBytes + static_cast<std::size_t>(length));
    take(0, std::as_writable_bytes(std::span(result_.header)));
    if (std::memcmp(result_.header.data(), &length, kLengthBytes) != 0)
      fail("expected a safetensors file that stays as it is while it is read, found its first bytes changed");
    const std::string_view text = std::string_view(result_.header).substr(kLengthBytes);
    if (text.empty() || text.front() != '{') fail("expected a safetensors header that begins with {, found none");
    const auto header = parse_strict_json(text, where_ + ": safetensors header", 3);
    const std::size_t data = file_bytes - result_.header.size();
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__")
        read_metadata(value);
      else
        entries.push_back(read_entry(name, value, data));
    }
    check_cover(entries, data);
    for (auto& entry : entries) {
      if (entry.other_type)
        result_.others.emplace(std::move(entry.name), OtherTensor{*entry.other_type, std::move(entry.view.shape),
                                                                  entry.view.offset, entry.view.size});
      else
        result_.tensors.emplace(std::move(entry.name), std::move(entry.view));
    }
  }

 private:
  static constexpr std::size_t kLengthBytes = 8;
  Safetensors& result_;
  std::string where_;
  OtherTypes other_types_;

  [[noreturn]] void fail(const std::string& what) const { throw Error(where_ + ": " + what); }

  void take(std::size_t offset, std::span<std::byte> to) const try {
    result_.source->read(offset, to);
  } catch (const Error& error) {
    fail(error.what());
  }

  void read_metadata(const nlohmann::json& value) {
    if (!value.is_object()) fail("expected __metadata__ to be an object of strings");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail("expected __metadata__ to hold strings, found another thing under \"" + key + "\"");
      result_.metadata.emplace(key, text.get<std::string>());
    }
  }

  /// `data`: bytes of the file behind its header.
  Entry read_entry(const std::string& name, const nlohmann::json& value, std::size_t data) const {
    const auto fail_here = [&](const std::string& what) { fail("tensor " + name + ": " + what); };
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets"))
      fail_here("expected an object of dtype, shape and data_offsets");
    Entry entry;
    entry.name = name;

    const auto& type = value["dtype"];
    if (!type.is_string()) fail_here("expected dtype to be a string");
    const auto type_name = type.get<std::string>();
    const auto known = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                    [&](const auto& candidate) { return candidate.first == type_name; });
    if (known != kTypeNames.end())
      entry.view.type = known->second;
    else if (other_types_ == OtherTypes::list)
      entry.other_type = type_name;
    else
      fail_here("expected dtype F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL, found " + type_name);

    const auto& shape = value["shape"];
    if (!shape.is_array()) fail_here("expected shape to be a list");
    // Extents are multiplied while they fit, also beside a zero: a shape that overflows is a lie either way.
    std::uint64_t count = entry.other_type ? 1 : size_of(entry.view.type);
    for (const auto& extent : shape) {
      if (!extent.is_number_unsigned() ||
          extent.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        fail_here("expected a shape of non-negative integers");
      entry.view.shape.push_back(extent.get<std::int64_t>());
      if (__builtin_mul_overflow(count, extent.get<std::uint64_t>(), &count))
        fail_here("expected a shape whose bytes can be counted, found " + to_string(entry.view.shape));
    }

    const auto& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned())
      fail_here("expected data_offsets to be two non-negative integers");
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    if (entry.begin > entry.end || entry.end > data)
      fail_here("expected data_offsets inside the " + std::to_string(data) + " bytes of data, found " +
                std::to_string(entry.begin) + " to " + std::to_string(entry.end));
    if (entry.other_type) {
      if (count > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        fail_here("expected a shape whose elements can be counted, found " + to_string(entry.view.shape));
      count = entry.end - entry.begin;
    }
    if (entry.end - entry.begin != count)
      fail_here("expected " + std::to_string(count) + " bytes for " + type_name + to_string(entry.view.shape) +
                ", found " + std::to_string(entry.end - entry.begin));
    entry.view.source = result_.source;
    entry.view.offset = result_.header.size() + static_cast<std::size_t>(entry.begin);
    entry.view.size = static_cast<std::size_t>(count);
    return entry;
  }

  /// Each byte of the data belongs to exactly one tensor.
  void check_cover(std::vector<Entry>& entries, std::size_t bytes) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t covered = 0;
    for (const auto& entry : entries) {
      if (entry.begin != covered)
        fail("tensor " + entry.name + ": expected its data at byte " + std::to_string(covered) + ", found " +
             (entry.begin < covered ? "an overlap" : "a hole") + " at " + std::to_string(entry.begin));
      covered = entry.end;
    }
    if (covered != bytes)
      fail("expected the tensors to cover all " + std::to_string(bytes) + " bytes of data, found " +
           std::to_string(covered));
  }
};

}  // namespace

std::string_view safetensors_name(DataType type) {
  for (const auto& [name, candidate] : kTypeNames)
    if (candidate == type) return name;
  return "";
}

namespace {

/// Copies a tensor's bytes out, and makes sure that they are those it had.
void read_checked(const TensorView& view, std::span<std::byte> to) {
  view.source->read(view.offset, to);
  if (!view.fingerprint) return;
  Xxh3 hash;
  hash.update(to);
  if (hash.digest() != *view.fingerprint)
    throw Error("expected the file as it was when it was opened, found other bytes in it: it was overwritten since");
}

}  // namespace

std::vector<std::byte> TensorView::read() const {
  std::vector<std::byte> bytes(size);
  read_checked(*this, bytes);
  return bytes;
}

std::vector<float> TensorView::to_floats() const {
  if (type == DataType::f32) {
    std::vector<float> values(size / sizeof(float));
    read_checked(*this, std::as_writable_bytes(std::span(values)));
    return values;
  }
  const std::vector<std::byte> bytes = read();
  const auto convert = [&](auto element_at) {
    const auto width = size_of(type);
    std::vector<float> values(bytes.size() / width);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = element_at(bytes.data() + i * width);
    return values;
  };
  const auto half = [](const std::byte* at) {
    std::uint16_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return bits;
  };
  switch (type) {
    case DataType::f32:
      break;
    case DataType::f64:
      return convert(element<double>);
    case DataType::f16:
      return convert([&](const std::byte* at) { return float_from_f16(half(at)); });
    case DataType::bf16:
      return convert([&](const std::byte* at) { return float_from_bf16(half(at)); });
    case DataType::i64:
      return convert(element<std::int64_t>);
    case DataType::i32:
      return convert(element<std::int32_t>);
    case DataType::i16:
      return convert(element<std::int16_t>);
    case DataType::i8:
      return convert(element<std::int8_t>);
    case DataType::u8:
      return convert(element<std::uint8_t>);
    case DataType::boolean:
      return convert([](const std::byte* at) { return *at != std::byte{0} ? 1.0f : 0.0f; });
  }
  throw Error("expected a known data type");
}

Safetensors Safetensors::read(const std::filesystem::path& path) { return read(open_file(path)); }

Safetensors Safetensors::read(std::shared_ptr<const ByteSource> source, OtherTypes other_types) {
  Safetensors result;
  result.source = std::move(source);
  Header(result, other_types).read();
  return result;
}

}  // namespace maskrt::graph
