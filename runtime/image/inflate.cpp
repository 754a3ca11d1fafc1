#include "inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::image {
namespace {

[[noreturn]] void damaged(const std::string& found) {
  throw Error("the picture is damaged: expected zlib data, found " + found);
}

class Stream {
 public:
  explicit Stream(Bytes bytes) {
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // zlib only reads
    stream_.avail_in = static_cast<uInt>(bytes.size());
    if (::inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { ::inflateEnd(&stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Goes on until the stream's end or as many bytes as `out` has. Returns how many were made.
  std::size_t read(std::span<std::uint8_t> out) {
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = ::inflate(&stream_, Z_FINISH);
    ended_ = status == Z_STREAM_END;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_NEED_DICT) damaged("a stream that needs a dictionary");
    if (status == Z_DATA_ERROR) damaged("what zlib calls \"" + std::string(stream_.msg) + '"');
    return out.size() - stream_.avail_out;
  }
  bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace

void inflate(Bytes bytes, std::span<std::uint8_t> out) {
  constexpr std::size_t most = std::numeric_limits<uInt>::max();  // that zlib counts
  if (out.size() > most) throw Error("expected a picture of less than 4 GiB, found " + std::to_string(out.size()));
  Stream stream(bytes.first(std::min(bytes.size(), most)));
  const std::size_t made = stream.read(out);
  // The pixels may be full before the checksum is met, or before there are more than expected.
  std::uint8_t excess = 0;
  if (!stream.ended() && made == out.size() && stream.read({&excess, 1}) > 0)
    damaged("more of it than the picture has pixels");
  if (!stream.ended()) damaged("an early end");
  if (made < out.size()) damaged("less of it than the picture has pixels");
}

}  // namespace maskrt::image
