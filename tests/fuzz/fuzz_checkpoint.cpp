// Checkpoints: PyTorch's zip archives and legacy files, pickles of numpy arrays, safetensors.
#include "memory_file.h"
#include "target.h"
#include "weights_tools/checkpoint/checkpoint.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const maskrt::fuzz::MemoryFile file({data, size});
  maskrt::fuzz::answered([&] {
    const auto checkpoint = maskrt::weights::read_checkpoint(file.path());
    for (const auto& [name, tensor] : checkpoint.tensors) {
      const auto numbers = static_cast<std::size_t>(maskrt::elements(tensor.shape));
      maskrt::fuzz::require(tensor.to_floats().size() == numbers, "a number for each element");
      maskrt::fuzz::require(tensor.dense().size() == numbers * maskrt::size_of(tensor.type), "bytes for each element");
    }
  });
  return 0;
}
