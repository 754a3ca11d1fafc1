// Zstandard, RFC 8878.
#include "driver/objects/decompress.h"
#include "driver/objects/status.h"

namespace vgpu::driver {

std::string decompress_zstandard(std::span<const std::uint8_t>, std::size_t) {
  throw Status(CUDA_ERROR_INVALID_IMAGE,
               "expected PTX that is not compressed with Zstandard: nvcc --compress-mode=none or speed");
}

}  // namespace vgpu::driver
