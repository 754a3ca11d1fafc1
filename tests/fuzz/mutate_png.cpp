// Keeps the checksums of a PNG's chunks right, without which no damage would get behind the first chunk. Other pictures
// have none.
#include <cstring>

#include "crc.h"
#include "target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, most);
  if (size < 8 || std::memcmp(data, "\x89PNG\r\n\x1a\n", 8) != 0 || seed % 16 == 0) return size;
  for (std::size_t at = 8; at + 12 <= size;) {
    const std::size_t length = data[at] << 24u | data[at + 1] << 16u | data[at + 2] << 8u | data[at + 3];
    if (length > size - at - 12) break;
    const std::uint32_t sum = maskrt::fuzz::crc32({data + at + 4, 4 + length});
    for (int i = 0; i < 4; ++i) data[at + 8 + length + static_cast<std::size_t>(i)] = sum >> (24 - 8 * i) & 0xff;
    at += 12 + length;
  }
  return size;
}
