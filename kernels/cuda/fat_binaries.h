// The device code that the library carries.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace maskrt::kernels {

/// What nvcc made of one .cu file: PTX and machine code for several architectures, of which the driver takes the best.
struct FatBinary {
  std::string_view file;  ///< the path below kernels/ without its ending: "pool/max_pool"
  std::span<const std::byte> image;
};

/// All of them, in no particular order. They live as long as the program.
std::span<const FatBinary> fat_binaries();

}  // namespace maskrt::kernels
