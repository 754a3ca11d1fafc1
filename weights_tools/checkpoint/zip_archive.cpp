#include "zip_archive.h"

#include <zip.h>

#include <algorithm>
#include <string_view>

namespace maskrt::weights {
namespace {

// Names that would land outside the archive's folder if the archive were unpacked.
bool stays_inside(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos) return false;
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    if (const auto part = name.substr(begin, end - begin); part == ".." || part == ".") return false;
    begin = end + 1;
  }
  return true;
}

// libzip takes every signature in the last 64 KiB for the end record of a directory, and reads the directory for each.
// A writer leaves one; some more may stand in an archive that is stored last in this one.
void check_end_records(std::span<const std::byte> bytes) {
  constexpr std::size_t kSearched = (std::size_t{1} << 16) + 64, kMostRecords = 4;
  const auto tail = bytes.last(std::min(bytes.size(), kSearched));
  const std::string_view text(reinterpret_cast<const char*>(tail.data()), tail.size());
  constexpr std::string_view kSignature = "PK\5\6";
  std::size_t records = 0;
  for (auto at = text.find(kSignature); at != text.npos; at = text.find(kSignature, at + 1)) {
    if (++records > kMostRecords) {
      throw Error("expected at most " + std::to_string(kMostRecords) +
                  " end records in the last 64 KiB of the zip archive, found more");
    }
  }
}

}  // namespace

struct ZipArchive::Handle {
  zip_t* zip = nullptr;
  ~Handle() {
    if (zip != nullptr) zip_discard(zip);
  }
};

ZipArchive::ZipArchive(std::span<const std::byte> bytes) : handle_(std::make_unique<Handle>()) {
  check_end_records(bytes);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source != nullptr) {
    handle_->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (handle_->zip == nullptr) zip_source_free(source);
  }
  if (handle_->zip == nullptr) {
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw Error("expected a whole zip archive, found a damaged or truncated one (" + reason + ")");
  }

  std::uint64_t left = bytes.size();
  const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(handle_->zip, 0));
  for (zip_uint64_t index = 0; index < count; ++index) {
    zip_stat_t stat;
    constexpr auto kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
                             ZIP_STAT_ENCRYPTION_METHOD | ZIP_STAT_CRC;
    if (zip_stat_index(handle_->zip, index, ZIP_FL_ENC_RAW, &stat) != 0 || (stat.valid & kNeeded) != kNeeded) {
      throw Error("expected a complete directory of the zip archive, found entry " + std::to_string(index) +
                  " of it damaged");
    }
    const std::string name = stat.name;
    const std::string what = "zip entry \"" + name + "\": ";
    if (!stays_inside(name)) throw Error(what + "expected a name inside the archive's folder, found one outside it");
    if (stat.encryption_method != ZIP_EM_NONE) throw Error(what + "expected a plain entry, found an encrypted one");
    if (stat.comp_method != ZIP_CM_STORE) {
      throw Error(what + "expected a stored entry, as PyTorch writes them, found a compressed one (method " +
                  std::to_string(stat.comp_method) + ")");
    }
    if (stat.size != stat.comp_size || stat.size > left) {
      throw Error(what + "expected an entry that fits into the file's " + std::to_string(bytes.size()) +
                  " bytes beside the others, found " + std::to_string(stat.size) + " bytes");
    }
    left -= stat.size;
    if (!entries_.try_emplace(name, Entry{index, stat.size, stat.crc != 0}).second) {
      throw Error(what + "expected every name once, found it twice");
    }
  }
}

ZipArchive::~ZipArchive() = default;

std::vector<std::byte> ZipArchive::read(std::string_view name) const {
  const std::string what = "zip entry \"" + std::string(name) + "\": ";
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw Error(what + "expected it in the archive, found no such entry");
  const auto [index, size, has_checksum] = found->second;

  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip_fopen_index(handle_->zip, index, 0), zip_fclose);
  if (entry == nullptr) {
    throw Error(what + "expected a readable entry, found a damaged one (" + zip_strerror(handle_->zip) + ")");
  }
  std::vector<std::byte> contents(size);
  std::uint64_t filled = 0;
  for (;;) {
    // At the end one more byte is asked for: that is when libzip compares the checksum, and not before.
    std::byte beyond;
    const bool full = filled == size;
    if (full && !has_checksum) return contents;
    const auto got = zip_fread(entry.get(), full ? &beyond : contents.data() + filled, full ? 1 : size - filled);
    if (got < 0) {
      throw Error(what + "expected contents that agree with their checksum, found damaged ones (" +
                  zip_file_strerror(entry.get()) + ")");
    }
    if (got == 0 && full) return contents;
    if (got == 0 || full) {
      throw Error(what + "expected " + std::to_string(size) + " bytes, found " + (full ? "more" : "fewer"));
    }
    filled += static_cast<std::uint64_t>(got);
  }
}

}  // namespace maskrt::weights
