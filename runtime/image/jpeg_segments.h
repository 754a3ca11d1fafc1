// The segments of a JPEG file, as libjpeg finds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "byte_reader.h"

namespace maskrt::image {

enum JpegMarker : std::uint32_t {
  tem = 0x01,
  sof0 = 0xc0,
  sof1 = 0xc1,
  sof2 = 0xc2,
  dht = 0xc4,
  jpg = 0xc8,
  sof9 = 0xc9,
  sof10 = 0xca,
  dac = 0xcc,
  sof15 = 0xcf,
  rst0 = 0xd0,
  rst7 = 0xd7,
  soi = 0xd8,
  eoi = 0xd9,
  sos = 0xda,
  dqt = 0xdb,
  dnl = 0xdc,
  dri = 0xdd,
  app0 = 0xe0,
  app1 = 0xe1,
  app14 = 0xee,
  app15 = 0xef,
  com = 0xfe,
};

struct JpegSegment {
  std::uint32_t marker = 0;
  Bytes content;        ///< behind the length
  Bytes entropy_coded;  ///< entropy-coded data of a scan, up to the next marker other than a restart
};

/// True for frame headers (SOF0 to SOF15), those of kinds that no decoder here knows among them.
bool is_jpeg_frame(std::uint32_t marker);

/// Walks a file from its start-of-image marker on. Bytes between two segments are passed over, as libjpeg does: writers
/// leave some, and lengths that are too short do.
class JpegSegments {
 public:
  explicit JpegSegments(Bytes file) : file_(file) {}

  /// The next segment; none at the end-of-image marker or the end of the file. Throws Error for one that does not fit
  /// into the file and for markers that JPEG does not have.
  std::optional<JpegSegment> next();

  /// Whether next() came to the end-of-image marker.
  bool ended() const { return ended_; }

 private:
  /// The number of the next marker, behind which offset_ then stands; 0 at the end of the file.
  std::uint32_t next_marker();

  Bytes file_;
  std::size_t offset_ = 2;
  bool ended_ = false;
};

}  // namespace maskrt::image
