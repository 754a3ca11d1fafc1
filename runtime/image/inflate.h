// zlib streams (RFC 1950, 1951), for pixels that are wanted as a file stores them. By zlib.
#pragma once

#include <cstdint>
#include <span>

#include "byte_reader.h"

namespace maskrt::image {

/// Decompresses a zlib stream that holds exactly `out.size()` bytes. What follows its checksum is passed over. Throws
/// Error, a reason without a file's name: for a stream that is no zlib stream, ends early, has codes that deflate does
/// not, holds more or less than that many bytes, or whose checksum does not match.
void inflate(Bytes stream, std::span<std::uint8_t> out);

}  // namespace maskrt::image
