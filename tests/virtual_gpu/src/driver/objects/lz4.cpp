// LZ4 block format: sequences of literals and matches, lengths of 15 and more continued in further bytes.
#include "driver/objects/decompress.h"
#include "driver/objects/status.h"

namespace vgpu::driver {

std::string decompress_lz4(std::span<const std::uint8_t> data, std::size_t plain_bytes) {
  const auto expect = [](bool holds) {
    require(holds, CUDA_ERROR_INVALID_IMAGE, "expected an LZ4 block in the fat binary, found damaged data");
  };
  std::string text;
  text.reserve(plain_bytes);
  std::size_t at = 0;
  const auto byte = [&]() -> std::size_t {
    expect(at < data.size());
    return data[at++];
  };
  const auto length = [&](std::size_t nibble) {
    std::size_t n = nibble;
    for (std::size_t more = 255; nibble == 15 && more == 255;) n += more = byte();
    return n;
  };
  while (at < data.size()) {
    const std::size_t token = byte();
    const std::size_t literals = length(token >> 4);
    expect(literals <= data.size() - at && literals <= plain_bytes - text.size());
    text.append(reinterpret_cast<const char*>(data.data() + at), literals);
    at += literals;
    if (at == data.size()) break;  // the last sequence has no match
    std::size_t offset = byte();
    offset |= byte() << 8;
    const std::size_t match = length(token & 15) + 4;
    expect(offset != 0 && offset <= text.size() && match <= plain_bytes - text.size());
    for (std::size_t i = 0; i < match; ++i) text.push_back(text[text.size() - offset]);
  }
  expect(text.size() == plain_bytes);
  return text;
}

}  // namespace vgpu::driver
