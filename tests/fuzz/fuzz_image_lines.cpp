// The lines of results that a run is resumed from.
#include "memory_file.h"
#include "runtime/coco/image_lines.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
  const fuzz::MemoryFile file({data, size});
  fuzz::answered([&] {
    const coco::ImageLines read = coco::read_image_lines(file.path());
    fuzz::require(read.bytes <= size, "whole lines lie in the file");
    std::string text;
    for (const coco::ImageLine& line : read.lines) text += coco::to_text(line);
    const fuzz::MemoryFile again({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    const coco::ImageLines second = coco::read_image_lines(again.path());
    fuzz::require(second.bytes == text.size() && second.lines.size() == read.lines.size(),
                  "what is written reads back");
    std::string written;
    for (const coco::ImageLine& line : second.lines) written += coco::to_text(line);
    fuzz::require(written == text, "what is read is written as it was");
  });
  return 0;
}
