// The device code that the library carries.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace maskrt::kernels {

/// The fat binary of one .cu file: PTX and SASS for several architectures, of which the driver loads the best match.
struct FatBinary {
  std::string_view file;  ///< the path below kernels/ without its ending: "pool/max_pool"
  std::span<const std::byte> image;
};

/// The fat binaries of all .cu files, in no particular order, with static lifetime.
std::span<const FatBinary> fat_binaries();

}  // namespace maskrt::kernels
