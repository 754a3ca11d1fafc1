// PNG files as label maps and as maps of segments, written and read again.
#include "memory_file.h"
#include "runtime/image/byte_reader.h"
#include "runtime/label_maps/maps.h"
#include "target.h"

/// libFuzzer's, which replays are linked without.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

/// For a fuzzer: whether an instrumented reader would take a second or more, time that other inputs lack. Headers of
/// more than 2^26 pixels are not among them: the reader refuses those in small files before it decodes anything.
bool takes_long(maskrt::image::Bytes file) {
  if (LLVMFuzzerMutate == nullptr) return false;  // a replay reads its few files whole
  constexpr std::uint64_t most_pixels = 1 << 21, always_taken = 1 << 26;
  constexpr std::size_t size_at = 16;  // behind the signature, and the length and type of the IHDR chunk
  if (!maskrt::image::has(file, size_at, 8)) return false;
  const std::uint64_t pixels =
      std::uint64_t{maskrt::image::big32(file, size_at)} * maskrt::image::big32(file, size_at + 4);
  return pixels > most_pixels && pixels <= always_taken;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
  if (takes_long(std::as_bytes(std::span(data, size)))) return 0;
  const fuzz::MemoryFile file({data, size});
  const auto again = [](const std::vector<std::byte>& bytes) {
    return fuzz::MemoryFile({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  };
  fuzz::answered([&] {
    const label_maps::LabelMap map = label_maps::read_label_map(file.path());
    const std::vector<label_maps::ClassColor> many(257);
    const fuzz::MemoryFile written = again(label_maps::encode_label_map(map, many));
    fuzz::require(label_maps::read_label_map(written.path()).labels == map.labels, "what is written reads back");
  });
  fuzz::answered([&] {
    const label_maps::SegmentMap map = label_maps::read_segment_map(file.path());
    const fuzz::MemoryFile written = again(label_maps::encode_segment_map(map));
    fuzz::require(label_maps::read_segment_map(written.path()).ids == map.ids, "what is written reads back");
  });
  return 0;
}
