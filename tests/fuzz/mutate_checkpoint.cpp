// Keeps the checksums of a zip archive's stored entries right, in each entry's own header and in the directory.
#include <cstring>

#include "crc.h"
#include "target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

template <typename Number>
Number load(const std::uint8_t* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

void correct_checksums(std::span<std::uint8_t> file) {
  constexpr std::size_t entry_size = 46, local_size = 30;
  for (std::size_t at = 0; at + entry_size <= file.size(); ++at) {
    std::uint8_t* const entry = file.data() + at;
    if (std::memcmp(entry, "PK\1\2", 4) != 0) continue;
    const std::size_t stored = load<std::uint32_t>(entry + 20), local = load<std::uint32_t>(entry + 42);
    if (local > file.size() || file.size() - local < local_size) continue;
    std::uint8_t* const header = file.data() + local;
    if (std::memcmp(header, "PK\3\4", 4) != 0) continue;
    const std::size_t begin = local + local_size + load<std::uint16_t>(header + 26) + load<std::uint16_t>(header + 28);
    if (begin > file.size() || file.size() - begin < stored) continue;
    const std::uint32_t sum = maskrt::fuzz::crc32(file.subspan(begin, stored));
    std::memcpy(entry + 16, &sum, sizeof sum);
    // Entries whose sizes follow their data (flag 8) have no sum in front.
    if ((load<std::uint16_t>(header + 6) & 8) == 0) std::memcpy(header + 14, &sum, sizeof sum);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (size > 4 && std::memcmp(data, "PK", 2) == 0 && seed % 16 != 0) correct_checksums({data, size});
  return size;
}
