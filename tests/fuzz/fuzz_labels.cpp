// Label files: a name a line, or COCO's categories as JSON.
#include "memory_file.h"
#include "target.h"
#include "weights_tools/labels.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const maskrt::fuzz::MemoryFile file({data, size});
  maskrt::fuzz::answered([&] {
    const auto labels = maskrt::weights::read_labels(file.path(), 3, "NUM_CLASSES");
    maskrt::fuzz::require(labels.categories.size() == 3, "as many labels as classes");
  });
  return 0;
}
