// Checkpoint files assembled byte by byte: what no honest writer would write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maskrt::testing {

/// A little-endian number as bytes.
template <typename Number>
std::string bytes_of(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// Writes pickles opcode by opcode: values are pushed in the order of the calls.
class PickleWriter {
 public:
  PickleWriter() : bytes_("\x80\x02") {}

  /// Opcodes and their arguments as they are.
  PickleWriter& raw(std::string_view opcodes) {
    bytes_ += opcodes;
    return *this;
  }
  PickleWriter& text(std::string_view value) {
    return raw("X").raw(bytes_of(static_cast<std::uint32_t>(value.size()))).raw(value);
  }
  PickleWriter& integer(std::int64_t value) { return raw("\x8a\x08").raw(bytes_of(value)); }
  PickleWriter& tuple(const std::vector<std::int64_t>& values) {
    raw("(");
    for (const auto value : values) integer(value);
    return raw("t");
  }
  PickleWriter& global(std::string_view module, std::string_view name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }
  /// A tensor, as torch.save writes it.
  PickleWriter& tensor(const struct TensorSpec& spec);

  /// The pickle with its STOP.
  std::string done() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

struct TensorSpec {
  std::vector<std::int64_t> shape, strides;
  std::int64_t offset = 0;
  std::int64_t storage_elements = 0;
  std::string key = "0";
  std::string storage_type = "FloatStorage";
  std::vector<std::int64_t> view = {};  ///< offset and elements; legacy files alone have views
  bool legacy = false;
};

/// A pickle of {"weight": tensor}.
std::string one_tensor_pickle(const TensorSpec& spec);

/// One entry of a zip archive. What is left empty is filled in truthfully.
struct ZipEntry {
  std::string name;
  std::string contents;
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
  std::optional<std::uint32_t> crc = {};
  std::optional<std::uint64_t> size = {}, compressed_size = {};
};

/// A zip archive; with `zip64`, one whose sizes, offsets and counts are all in the 64-bit records.
std::string make_zip(const std::vector<ZipEntry>& entries, bool zip64 = false);

/// The archive that torch.save writes, with one storage "0".
std::vector<ZipEntry> torch_entries(const std::string& pickle, const std::string& storage);

/// The file that torch.save wrote before PyTorch 1.6.
struct LegacyStorage {
  std::string key;
  std::int64_t elements = 0;
  std::string bytes;
};
std::string make_legacy(const std::string& pickle, const std::vector<LegacyStorage>& storages);

}  // namespace maskrt::testing
