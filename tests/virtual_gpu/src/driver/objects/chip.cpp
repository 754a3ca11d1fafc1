#include "driver/objects/chip.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "driver/objects/status.h"

namespace vgpu::driver {
namespace {

/// Column of a table row: 7.5, 8.0, 8.6, 8.9, 9.0.
std::size_t column(int compute_capability) {
  constexpr std::array<int, 5> known{75, 80, 86, 89, 90};
  const auto* it = std::find(known.begin(), known.end(), compute_capability);
  return it == known.end() ? known.size() - 1 : static_cast<std::size_t>(it - known.begin());
}

struct Row {
  CUdevice_attribute attribute;
  std::array<int, 5> values;
};

constexpr Row same(CUdevice_attribute attribute, int value) { return {attribute, {value, value, value, value, value}}; }

/// What differs from chip to chip.
constexpr Row kByChip[] = {
    {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, {1590000, 1410000, 1695000, 2040000, 1980000}},
    {CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, {5001000, 1215000, 6251000, 6251000, 2619000}},
    {CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, {256, 5120, 384, 192, 5120}},
    {CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, {4194304, 41943040, 6291456, 50331648, 52428800}},
    {CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT, {3, 3, 2, 2, 3}},
    {CU_DEVICE_ATTRIBUTE_ECC_ENABLED, {1, 1, 1, 1, 1}},
    {CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD, {0, 0, 0, 0, 0}},
    {CU_DEVICE_ATTRIBUTE_SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO, {32, 2, 64, 64, 2}},
    {CU_DEVICE_ATTRIBUTE_MAX_PERSISTING_L2_CACHE_SIZE, {0, 31457280, 4325376, 34603008, 32768000}},
    {CU_DEVICE_ATTRIBUTE_MAX_ACCESS_POLICY_WINDOW_SIZE, {0, 134213632, 134213632, 134213632, 134213632}},
    {CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK, {0, 1024, 1024, 1024, 1024}},
    {CU_DEVICE_ATTRIBUTE_GENERIC_COMPRESSION_SUPPORTED, {0, 1, 1, 1, 1}},
    {CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH, {0, 0, 0, 0, 1}},
    {CU_DEVICE_ATTRIBUTE_TENSOR_MAP_ACCESS_SUPPORTED, {0, 0, 0, 0, 1}},
    {CU_DEVICE_ATTRIBUTE_MEM_SYNC_DOMAIN_COUNT, {1, 1, 1, 1, 4}},
    {CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_LINEAR_WIDTH, {268435456, 268435456, 268435456, 268435456, 268435456}},
};

/// What all of them share.
constexpr Row kCommon[] = {
    same(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024),
    same(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 1024),
    same(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 1024),
    same(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 64),
    same(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 2147483647),
    same(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 65535),
    same(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 65535),
    same(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, kSharedWithoutOptIn),
    same(CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY, 65536),
    same(CU_DEVICE_ATTRIBUTE_WARP_SIZE, 32),
    same(CU_DEVICE_ATTRIBUTE_MAX_PITCH, 2147483647),
    same(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, 65536),
    same(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 65536),
    same(CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT, 512),
    same(CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT, 32),
    same(CU_DEVICE_ATTRIBUTE_SURFACE_ALIGNMENT, 512),
    same(CU_DEVICE_ATTRIBUTE_GPU_OVERLAP, 1),
    same(CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT, 0),
    same(CU_DEVICE_ATTRIBUTE_INTEGRATED, 0),
    same(CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY, 1),
    same(CU_DEVICE_ATTRIBUTE_COMPUTE_MODE, CU_COMPUTEMODE_DEFAULT),
    same(CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS, 1),
    same(CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, 1),
    same(CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID, 0),
    same(CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID, 0),
    same(CU_DEVICE_ATTRIBUTE_TCC_DRIVER, 0),
    same(CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 1),
    same(CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED, 1),
    same(CU_DEVICE_ATTRIBUTE_GLOBAL_L1_CACHE_SUPPORTED, 1),
    same(CU_DEVICE_ATTRIBUTE_LOCAL_L1_CACHE_SUPPORTED, 1),
    same(CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY, 1),
    same(CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD_GROUP_ID, 0),
    same(CU_DEVICE_ATTRIBUTE_HOST_NATIVE_ATOMIC_SUPPORTED, 0),
    same(CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS, 0),
    same(CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS, 1),
    same(CU_DEVICE_ATTRIBUTE_COMPUTE_PREEMPTION_SUPPORTED, 1),
    // Registered memory can be copied from and to, but kernels can't reach it.
    same(CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM, 0),
    same(CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED, 1),
    same(CU_DEVICE_ATTRIBUTE_READ_ONLY_HOST_REGISTER_SUPPORTED, 0),
    same(CU_DEVICE_ATTRIBUTE_CAN_USE_64_BIT_STREAM_MEM_OPS, 1),
    same(CU_DEVICE_ATTRIBUTE_CAN_USE_STREAM_WAIT_VALUE_NOR, 1),
    same(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, 1),
    same(CU_DEVICE_ATTRIBUTE_COOPERATIVE_MULTI_DEVICE_LAUNCH, 0),
    same(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, 1),
    same(CU_DEVICE_ATTRIBUTE_MEMPOOL_SUPPORTED_HANDLE_TYPES, 0),
    same(CU_DEVICE_ATTRIBUTE_UNIFIED_FUNCTION_POINTERS, 0),
    same(CU_DEVICE_ATTRIBUTE_NUMA_CONFIG, 0),
    same(CU_DEVICE_ATTRIBUTE_NUMA_ID, -1),
    same(CU_DEVICE_ATTRIBUTE_HOST_NUMA_ID, 0),
};

/// Textures and surfaces, and what else the virtual GPU doesn't have: limits of 0 keep programs away from it.
bool absent(CUdevice_attribute attribute) {
  return attribute >= CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK && attribute < CU_DEVICE_ATTRIBUTE_MAX;
}

}  // namespace

std::string chip_name(const Settings& settings) {
  return "Virtual GPU (compute capability " + std::to_string(settings.compute_capability / 10) + "." +
         std::to_string(settings.compute_capability % 10) + ", " + std::to_string(settings.sms) + " SMs)";
}

CUuuid chip_uuid(const Settings& settings, CUdevice device) {
  CUuuid uuid{};
  std::memcpy(uuid.bytes, "vgpu", 4);
  uuid.bytes[14] = static_cast<char>(settings.compute_capability);
  uuid.bytes[15] = static_cast<char>(1 + device);
  return uuid;
}

int chip_attribute(const Settings& settings, CUdevice_attribute attribute) {
  const Limits limits = Limits::of(settings.compute_capability);
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      return settings.compute_capability / 10;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      return settings.compute_capability % 10;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      return static_cast<int>(settings.sms);
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR:
      return static_cast<int>(limits.threads_per_sm);
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR:
      return static_cast<int>(limits.blocks_per_sm);
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR:
      return static_cast<int>(limits.shared_per_sm);
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
      return static_cast<int>(limits.shared_per_block_optin);
    default:
      break;
  }
  for (const Row& row : kByChip) {
    if (row.attribute == attribute) return row.values[column(settings.compute_capability)];
  }
  for (const Row& row : kCommon) {
    if (row.attribute == attribute) return row.values[0];
  }
  require_value(absent(attribute), "expected an attribute of devices, found a number that names none");
  return 0;
}

std::vector<std::uint32_t> cluster_domains(std::uint32_t sms) {
  const std::uint32_t count = (sms + 17) / 18, pairs = sms / 2;
  std::vector<std::uint32_t> domains;
  for (std::uint32_t i = 0; i < count; ++i) domains.push_back((pairs / count + (i < pairs % count ? 1 : 0)) * 2);
  domains.back() += sms % 2;
  return domains;
}

}  // namespace vgpu::driver
