// The device code that the library carries.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace maskrt::kernels {

/// The device code of one .cu file: an archive (image_archive.h) of PTX and machine code for several architectures.
struct DeviceCode {
  std::string_view file;  ///< the path below kernels/ without its ending: "pool/max_pool"
  std::span<const std::byte> archive;
};

/// The device code of all .cu files, in no particular order, with static lifetime.
std::span<const DeviceCode> device_code();

}  // namespace maskrt::kernels
