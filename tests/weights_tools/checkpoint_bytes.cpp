#include "checkpoint_bytes.h"

namespace maskrt::testing {
namespace {

// CRC-32 as zip uses it, one bit at a time.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

template <typename... Numbers>
std::string record(std::string_view signature, Numbers... numbers) {
  std::string bytes(signature);
  ((bytes += bytes_of(numbers)), ...);
  return bytes;
}

constexpr std::uint16_t kVersion = 45, kDate = 0x21;
constexpr std::uint16_t kNone16 = 0;
constexpr std::uint32_t kNone32 = 0, kIn64Bits = 0xffffffffu;

}  // namespace

PickleWriter& PickleWriter::tensor(const TensorSpec& spec) {
  global("torch._utils", "_rebuild_tensor_v2").raw("((");
  text("storage").global("torch", spec.storage_type).text(spec.key).text("cpu").integer(spec.storage_elements);
  if (!spec.view.empty()) {
    raw("(").text("view").integer(spec.view[0]).integer(spec.view[1]).raw("t");
  } else if (spec.legacy) {
    raw("N");
  }
  raw("tQ").integer(spec.offset).tuple(spec.shape).tuple(spec.strides).raw("\x89");
  return global("collections", "OrderedDict").raw(")RtR");
}

std::string one_tensor_pickle(const TensorSpec& spec) {
  return PickleWriter().raw("}").text("weight").tensor(spec).raw("s").done();
}

std::string make_zip(const std::vector<ZipEntry>& entries, bool zip64) {
  std::string file, directory;
  for (const auto& entry : entries) {
    const auto crc = entry.crc.value_or(crc32(entry.contents));
    const std::uint64_t size = entry.size.value_or(entry.contents.size());
    const std::uint64_t compressed = entry.compressed_size.value_or(entry.contents.size());
    const std::uint64_t offset = file.size();
    const auto name_length = static_cast<std::uint16_t>(entry.name.size());
    const auto narrow = [&](std::uint64_t number) { return zip64 ? kIn64Bits : static_cast<std::uint32_t>(number); };
    const auto local_extra = zip64 ? record("\x01", std::uint8_t{0}, std::uint16_t{16}, size, compressed) : "";
    const auto central_extra =
        zip64 ? record("\x01", std::uint8_t{0}, std::uint16_t{24}, size, compressed, offset) : "";

    const auto described = bytes_of(entry.flags) + bytes_of(entry.method) + bytes_of(kNone16) + bytes_of(kDate) +
                           bytes_of(crc) + bytes_of(narrow(compressed)) + bytes_of(narrow(size)) +
                           bytes_of(name_length);
    file += record("PK\x03\x04", kVersion) + described + bytes_of(static_cast<std::uint16_t>(local_extra.size())) +
            entry.name + local_extra + entry.contents;
    directory += record("PK\x01\x02", kVersion, kVersion) + described +
                 bytes_of(static_cast<std::uint16_t>(central_extra.size())) +
                 record("", kNone16, kNone16, kNone16, kNone32, narrow(offset)) + entry.name + central_extra;
  }
  const std::uint64_t start = file.size(), count = entries.size(), size = directory.size();
  file += directory;
  if (zip64) {
    const std::uint64_t end = file.size(), rest = 44;
    file += record("PK\x06\x06", rest, kVersion, kVersion, kNone32, kNone32, count, count, size, start);
    file += record("PK\x06\x07", kNone32, end, std::uint32_t{1});
    constexpr std::uint16_t kCountIn64Bits = 0xffff;
    return file + record("PK\x05\x06", kNone16, kNone16, kCountIn64Bits, kCountIn64Bits, kIn64Bits, kIn64Bits, kNone16);
  }
  return file + record("PK\x05\x06", kNone16, kNone16, static_cast<std::uint16_t>(count),
                       static_cast<std::uint16_t>(count), static_cast<std::uint32_t>(size),
                       static_cast<std::uint32_t>(start), kNone16);
}

std::vector<ZipEntry> torch_entries(const std::string& pickle, const std::string& storage) {
  return {{"archive/data.pkl", pickle}, {"archive/data/0", storage}, {"archive/version", "3\n"}};
}

std::string make_legacy(const std::string& pickle, const std::vector<LegacyStorage>& storages) {
  std::string file("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);  // the magic number
  file += PickleWriter().integer(1001).done();
  file += PickleWriter().raw("}").text("little_endian").raw("\x88s").done() + pickle;
  PickleWriter keys;
  keys.raw("](");
  for (const auto& storage : storages) keys.text(storage.key);
  file += keys.raw("e").done();
  for (const auto& storage : storages) file += bytes_of(storage.elements) + storage.bytes;
  return file;
}

}  // namespace maskrt::testing
