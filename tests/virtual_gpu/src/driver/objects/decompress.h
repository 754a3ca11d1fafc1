// The two ways in which nvcc compresses the images of a fat binary.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vgpu::driver {

/// One LZ4 block (`nvcc --compress-mode=speed`). Throws Status with CUDA_ERROR_INVALID_IMAGE where the data is damaged
/// or doesn't give `plain_bytes` bytes.
std::string decompress_lz4(std::span<const std::uint8_t> data, std::size_t plain_bytes);

/// One Zstandard frame (nvcc's default since CUDA 13), as RFC 8878 describes it. Throws as above.
std::string decompress_zstandard(std::span<const std::uint8_t> data, std::size_t plain_bytes);

}  // namespace vgpu::driver
