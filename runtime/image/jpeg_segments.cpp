#include "jpeg_segments.h"

#include <cstring>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::image {
namespace {

bool stands_alone(std::uint32_t marker) { return marker == tem || (marker >= rst0 && marker <= rst7); }

bool is_known(std::uint32_t marker) {
  return is_jpeg_frame(marker) || marker == dht || marker == dac || marker == sos || marker == dqt || marker == dnl ||
         marker == dri || (marker >= app0 && marker <= app15) || marker == com;
}

/// The offset of the next byte 0xff from `offset` on, or the file's size.
std::size_t next_ff(Bytes file, std::size_t offset) {
  if (offset >= file.size()) return file.size();
  const void* found = std::memchr(file.data() + offset, 0xff, file.size() - offset);
  if (found == nullptr) return file.size();
  return static_cast<std::size_t>(static_cast<const std::byte*>(found) - file.data());
}

/// The offset of the marker that ends the entropy-coded data from `offset` on, or the file's size.
std::size_t skip_entropy_coded(Bytes file, std::size_t offset) {
  for (offset = next_ff(file, offset); offset + 1 < file.size(); offset = next_ff(file, offset)) {
    const std::uint32_t next = byte_at(file, offset + 1);
    if (next != 0 && next != 0xff && !(next >= rst0 && next <= rst7)) return offset;
    offset += next == 0xff ? 1 : 2;
  }
  return file.size();
}

}  // namespace

bool is_jpeg_frame(std::uint32_t marker) {
  return marker >= sof0 && marker <= sof15 && marker != dht && marker != jpg && marker != dac;
}

std::uint32_t JpegSegments::next_marker() {
  for (;;) {
    offset_ = next_ff(file_, offset_);
    while (offset_ < file_.size() && byte_at(file_, offset_) == 0xff) ++offset_;
    if (offset_ >= file_.size()) return 0;
    if (const std::uint32_t marker = byte_at(file_, offset_++); marker != 0) return marker;
  }
}

std::optional<JpegSegment> JpegSegments::next() {
  JpegSegment segment;
  do segment.marker = next_marker();
  while (stands_alone(segment.marker));
  ended_ = segment.marker == eoi;
  if (ended_ || segment.marker == 0) return std::nullopt;
  const std::size_t at = offset_;
  if (!is_known(segment.marker)) {
    throw Error("expected a JPEG marker at byte " + std::to_string(at - 2) + ", found number " +
                std::to_string(segment.marker));
  }
  if (!has(file_, at, 2) || big16(file_, at) < 2 || !has(file_, at, big16(file_, at))) {
    throw Error("the JPEG file is truncated or damaged: the segment at byte " + std::to_string(at - 2) +
                " does not fit");
  }
  const std::size_t length = big16(file_, at);
  segment.content = file_.subspan(at + 2, length - 2);
  offset_ = at + length;
  if (segment.marker == sos) {
    const std::size_t end = skip_entropy_coded(file_, offset_);
    segment.entropy_coded = file_.subspan(offset_, end - offset_);
    offset_ = end;
  }
  return segment;
}

}  // namespace maskrt::image
