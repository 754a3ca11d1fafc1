// PNG files as label maps and as maps of segments, written and read again.
#include "memory_file.h"
#include "runtime/label_maps/maps.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
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
