// What the virtual GPU says of itself: name, identity and attributes, by compute capability.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <string>
#include <vector>

#include "machine/device.h"

namespace vgpu::driver {

/// "Virtual GPU (compute capability 9.0, 8 SMs)": says what it is, because speed measured on it means nothing.
std::string chip_name(const Settings& settings);
CUuuid chip_uuid(const Settings& settings, CUdevice device);

/// An attribute as a chip of that compute capability gives it, with the number of multiprocessors and the memory that
/// the settings say. Throws Status where there is no such attribute. The figures are those of the data-centre chip of
/// each capability (T4, A100, A10, L4, H100): CUDA C++ Programming Guide, "Technical Specifications per Compute
/// Capability", and what deviceQuery prints for them.
int chip_attribute(const Settings& settings, CUdevice_attribute attribute);

/// The multiprocessors of each part of the chip (GPC) in which a cluster must lie: as many parts as it takes for none
/// to have more than 18, as even as pairs of multiprocessors can be shared out. 132: 18, 18, and six of 16.
std::vector<std::uint32_t> cluster_domains(std::uint32_t sms);

/// Register allocation granularity of a warp.
constexpr std::uint32_t kRegisterUnit = 256;
constexpr std::uint32_t kMaxRegistersPerThread = 255;
/// Dynamic and static shared memory that a kernel may use without asking: cuFuncSetAttribute.
constexpr std::uint32_t kSharedWithoutOptIn = 49152;

}  // namespace vgpu::driver
