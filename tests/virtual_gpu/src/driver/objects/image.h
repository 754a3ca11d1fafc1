// What programs load as a module: PTX text, or a fat binary out of which the best PTX is chosen.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vgpu::driver {

/// The PTX in `image`, which is as for cuModuleLoadData: PTX text that ends with a zero byte, a fat binary, or the
/// wrapper that nvcc puts around one. Of a fat binary's images the PTX is taken whose compute capability is the highest
/// that the device still has, one for exactly this chip (compute_90a) first. Throws Status: CUDA_ERROR_INVALID_IMAGE
/// for other bytes and for what is too new for a driver of `driver_version`: machine code of ELF ABI 8 for this device
/// before 13.0, images compressed with zstd before 12.4; CUDA_ERROR_NO_BINARY_FOR_GPU where there is no PTX for the
/// device (machine code can't be run).
std::string ptx_of_image(const void* image, int compute_capability, int driver_version);

/// Throws Status unless the device can run this PTX: CUDA_ERROR_INVALID_PTX where its .target is another chip's,
/// CUDA_ERROR_UNSUPPORTED_PTX_VERSION where its .version is newer than the driver's.
void check_ptx_header(std::string_view ptx, int compute_capability, int driver_version);

/// "sm_90a" -> {90, 'a'}; 0 where the text names no target.
struct Target {
  int compute_capability = 0;
  char suffix = '\0';  ///< 'a': this chip alone, 'f': its family, or none
};
Target parse_target(std::string_view text);

}  // namespace vgpu::driver
