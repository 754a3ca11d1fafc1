#include "driver/objects/image.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "driver/objects/decompress.h"
#include "driver/objects/status.h"

namespace vgpu::driver {
namespace {

// fatbinary_section.h of the toolkit: what nvcc's host code hands over.
constexpr std::uint32_t kWrapperMagic = 0x466243b1;
struct Wrapper {
  std::uint32_t magic, version;
  const void* data;
  const void* more;
};

// The container. NVIDIA documents it nowhere; this is what fatbinary of CUDA 12 and 13 writes.
constexpr std::uint32_t kContainerMagic = 0xba55ed50;
struct ContainerHeader {
  std::uint32_t magic;
  std::uint16_t version, header_bytes;
  std::uint64_t bytes;  ///< bytes that follow the header
};
constexpr std::uint16_t kKindPtx = 1, kKindMachineCode = 2;
struct EntryHeader {
  std::uint16_t kind, version;
  std::uint32_t header_bytes;
  std::uint64_t bytes;             ///< bytes that follow the header, padding included
  std::uint32_t compressed_bytes;  ///< 0 where it is not compressed
  std::uint32_t options_offset;
  std::uint16_t minor, major;  ///< PTX version
  std::uint32_t compute_capability;
  std::uint32_t name_offset, name_bytes;
  std::uint64_t flags;
  std::uint64_t reserved;
  std::uint64_t plain_bytes;  ///< once decompressed
};
static_assert(sizeof(EntryHeader) == 64);
constexpr std::uint64_t kFlagLz4 = 0x2000, kFlagZstandard = 0x8000;
constexpr std::uint64_t kFlagThisChip = 0x100000, kFlagFamily = 0x200000;

struct Candidate {
  EntryHeader header{};
  const std::uint8_t* data = nullptr;
};

constexpr int kReadsZstandard = 12040, kReadsAbi8 = 13000;  // the first drivers

std::string contents(const Candidate& candidate, int driver_version) {
  const EntryHeader& h = candidate.header;
  std::string text;
  if ((h.flags & kFlagZstandard) != 0) {
    require(driver_version >= kReadsZstandard, CUDA_ERROR_INVALID_IMAGE,
            "expected an image that a driver before 12.4 can expand, found one compressed with zstd");
    text = decompress_zstandard({candidate.data, h.compressed_bytes}, h.plain_bytes);
  } else if ((h.flags & kFlagLz4) != 0) {
    text = decompress_lz4({candidate.data, h.compressed_bytes}, h.plain_bytes);
  } else {
    text.assign(reinterpret_cast<const char*>(candidate.data), h.bytes);
  }
  return text;
}

std::string up_to_zero(std::string text) {
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

constexpr char kElf[] =
    "\x7f"
    "ELF";
constexpr std::size_t kAbiAt = 8;  // of e_ident

/// Machine code is never run here, but a driver that could would refuse what is newer than itself.
void check_abi(const char* elf, int driver_version) {
  require(elf[kAbiAt] <= 7 || driver_version >= kReadsAbi8, CUDA_ERROR_INVALID_IMAGE,
          "expected machine code of ELF ABI 7 for a driver before 13.0, found ABI 8");
}

/// Whether the device would run the machine code: that of its own major version, which is not newer.
bool is_native(const EntryHeader& header, int compute_capability) {
  const int wanted = static_cast<int>(header.compute_capability);
  if ((header.flags & kFlagThisChip) != 0) return wanted == compute_capability;
  return wanted <= compute_capability && wanted / 10 == compute_capability / 10;
}

/// How well a PTX image suits the device; -1 where it doesn't.
int rank(const EntryHeader& header, int compute_capability) {
  const int wanted = static_cast<int>(header.compute_capability);
  if ((header.flags & kFlagThisChip) != 0) return wanted == compute_capability ? 1000 : -1;
  if (wanted > compute_capability) return -1;
  if ((header.flags & kFlagFamily) != 0) return wanted / 10 == compute_capability / 10 ? 500 + wanted : -1;
  return wanted;
}

std::string best_of_container(const std::uint8_t* bytes, int compute_capability, int driver_version) {
  ContainerHeader container{};
  std::memcpy(&container, bytes, sizeof container);
  const std::uint8_t* at = bytes + container.header_bytes;
  const std::uint8_t* const end = at + container.bytes;
  std::optional<Candidate> best;
  int best_rank = -1;
  bool machine_code = false;
  while (static_cast<std::size_t>(end - at) >= sizeof(EntryHeader)) {
    Candidate candidate;
    std::memcpy(&candidate.header, at, sizeof candidate.header);
    const EntryHeader& h = candidate.header;
    require(h.header_bytes >= sizeof(EntryHeader) && h.header_bytes + h.bytes <= static_cast<std::uint64_t>(end - at) &&
                h.compressed_bytes <= h.bytes,
            CUDA_ERROR_INVALID_IMAGE, "expected the images of the fat binary to lie inside of it");
    candidate.data = at + h.header_bytes;
    at += h.header_bytes + h.bytes;
    if (h.kind == kKindMachineCode) {
      machine_code = true;
      if (is_native(h, compute_capability)) check_abi(contents(candidate, driver_version).c_str(), driver_version);
    }
    if (h.kind != kKindPtx) continue;
    const int suits = rank(h, compute_capability);
    if (suits <= best_rank) continue;
    best_rank = suits;
    best = candidate;
  }
  require(best.has_value(), CUDA_ERROR_NO_BINARY_FOR_GPU,
          machine_code ? "expected PTX for this device in the fat binary, found machine code or PTX for other chips "
                         "alone: compile with code=compute_XX"
                       : "expected PTX for this device in the fat binary, found none");
  return up_to_zero(contents(*best, driver_version));
}

/// The first line `.name ...` of a PTX file, without the directive; empty where there is none.
std::string_view directive(std::string_view ptx, std::string_view name) {
  std::size_t at = 0;
  while (at < ptx.size()) {
    std::string_view line = ptx.substr(at, ptx.find('\n', at) - at);
    at += line.size() + 1;
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos || !line.substr(start).starts_with(name)) continue;
    line.remove_prefix(start + name.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line;
  }
  return {};
}

bool looks_like_ptx(const char* text) {
  // Comments and blank lines may stand before .version.
  while (true) {
    while (std::isspace(static_cast<unsigned char>(*text)) != 0) ++text;
    if (text[0] == '/' && text[1] == '/') {
      while (*text != '\0' && *text != '\n') ++text;
    } else if (text[0] == '/' && text[1] == '*') {
      const char* end = std::strstr(text, "*/");
      if (end == nullptr) return false;
      text = end + 2;
    } else {
      return std::strncmp(text, ".version", 8) == 0;
    }
  }
}

/// The PTX ISA that a driver of this CUDA version knows. PTX ISA, 13 "Release Notes".
int ptx_version_of(int driver_version) {
  const int major = driver_version / 1000, minor = driver_version % 1000 / 10;
  if (major >= 13) return 90 + minor;
  if (major == 12) return 80 + (minor <= 5 ? minor : minor - 1);
  return 70 + minor;
}

}  // namespace

Target parse_target(std::string_view text) {
  Target target;
  const std::size_t at = text.find("sm_");
  if (at == std::string_view::npos) return target;
  std::size_t i = at + 3;
  for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i) {
    target.compute_capability = target.compute_capability * 10 + (text[i] - '0');
  }
  if (i < text.size() && (text[i] == 'a' || text[i] == 'f')) target.suffix = text[i];
  return target;
}

std::string ptx_of_image(const void* image, int compute_capability, int driver_version) {
  require_value(image != nullptr, "expected an image, found a null pointer");
  std::uint32_t magic = 0;
  std::memcpy(&magic, image, sizeof magic);
  if (magic == kWrapperMagic) {
    Wrapper wrapper{};
    std::memcpy(&wrapper, image, sizeof wrapper);
    image = wrapper.data;
    require(image != nullptr, CUDA_ERROR_INVALID_IMAGE, "expected a fat binary in the wrapper, found none");
    std::memcpy(&magic, image, sizeof magic);
  }
  if (magic == kContainerMagic)
    return best_of_container(static_cast<const std::uint8_t*>(image), compute_capability, driver_version);
  if (std::memcmp(image, kElf, 4) == 0) {
    check_abi(static_cast<const char*>(image), driver_version);
    throw Status(CUDA_ERROR_NO_BINARY_FOR_GPU,
                 "expected PTX, found machine code (a cubin), which the virtual GPU can't run");
  }
  const char* text = static_cast<const char*>(image);
  require(looks_like_ptx(text), CUDA_ERROR_INVALID_IMAGE,
          "expected PTX text that starts with .version, or a fat binary");
  return text;
}

void check_ptx_header(std::string_view ptx, int compute_capability, int driver_version) {
  const std::string_view version = directive(ptx, ".version");
  int major = 0, minor = 0;
  require(std::sscanf(std::string(version).c_str(), "%d.%d", &major, &minor) == 2, CUDA_ERROR_INVALID_PTX,
          "expected .version MAJOR.MINOR at the head of the PTX");
  require(major * 10 + minor <= ptx_version_of(driver_version), CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
          "expected a PTX version that the driver knows, found a newer one");
  const Target target = parse_target(directive(ptx, ".target"));
  require(target.compute_capability != 0, CUDA_ERROR_INVALID_PTX, "expected .target sm_XX at the head of the PTX");
  bool runs = target.compute_capability <= compute_capability;
  if (target.suffix == 'a') runs = target.compute_capability == compute_capability;
  if (target.suffix == 'f') runs = runs && target.compute_capability / 10 == compute_capability / 10;
  if (!runs) {
    throw Status(CUDA_ERROR_INVALID_PTX, "expected PTX whose .target compute capability " +
                                             std::to_string(compute_capability) + " can run, found sm_" +
                                             std::to_string(target.compute_capability) +
                                             (target.suffix != '\0' ? std::string(1, target.suffix) : ""));
  }
}

}  // namespace vgpu::driver
