// CUDA driver API, 6.5 "Device Management", 6.7 "Primary Context Management".
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "driver/objects/chip.h"
#include "driver/objects/context.h"

using namespace vgpu::driver;

namespace {

constexpr int kFirstBus = 1;

std::string bus_id(CUdevice device) { return "0000:0" + std::to_string(kFirstBus + device) + ":00.0"; }

}  // namespace

VGPU_API(cuDeviceGetCount, (int* count), (count)) {
  require_value(count != nullptr, "expected room for the count, found a null pointer");
  *count = Driver::get().devices;
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGet, (CUdevice * device, int ordinal), (device, ordinal)) {
  require_value(device != nullptr, "expected room for the device, found a null pointer");
  check_device(ordinal);
  *device = ordinal;
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGetName, (char* name, int length, CUdevice device), (name, length, device)) {
  require_value(name != nullptr && length > 0, "expected room for the name");
  check_device(device);
  std::snprintf(name, static_cast<std::size_t>(length), "%s", chip_name(Driver::get().settings()).c_str());
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGetUuid_v2, (CUuuid * uuid, CUdevice device), (uuid, device)) {
  require_value(uuid != nullptr, "expected room for the identity, found a null pointer");
  check_device(device);
  *uuid = chip_uuid(Driver::get().settings(), device);
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuDeviceGetUuid, cuDeviceGetUuid_v2, (CUuuid * uuid, CUdevice device), (uuid, device))

VGPU_API(cuDeviceTotalMem_v2, (size_t * bytes, CUdevice device), (bytes, device)) {
  require_value(bytes != nullptr, "expected room for the size, found a null pointer");
  check_device(device);
  *bytes = Driver::get().memory_size;
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGetAttribute, (int* value, CUdevice_attribute attribute, CUdevice device),
         (value, attribute, device)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  check_device(device);
  *value = chip_attribute(Driver::get().settings(), attribute);
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceComputeCapability, (int* major, int* minor, CUdevice device), (major, minor, device)) {
  require_value(major != nullptr && minor != nullptr, "expected room for both numbers, found a null pointer");
  check_device(device);
  *major = Driver::get().settings().compute_capability / 10;
  *minor = Driver::get().settings().compute_capability % 10;
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGetPCIBusId, (char* text, int length, CUdevice device), (text, length, device)) {
  check_device(device);
  const std::string id = bus_id(device);
  require_value(text != nullptr && length > static_cast<int>(id.size()), "expected room for 13 characters");
  std::strcpy(text, id.c_str());
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGetByPCIBusId, (CUdevice * device, const char* text), (device, text)) {
  require_value(device != nullptr && text != nullptr, "expected a device and a text, found a null pointer");
  for (CUdevice candidate = 0; candidate < Driver::get().devices; ++candidate) {
    if (bus_id(candidate) != text) continue;
    *device = candidate;
    return CUDA_SUCCESS;
  }
  throw Status(CUDA_ERROR_INVALID_DEVICE, "expected the bus number of a device");
}

VGPU_API(cuDeviceCanAccessPeer, (int* can, CUdevice device, CUdevice peer), (can, device, peer)) {
  require_value(can != nullptr, "expected room for the answer, found a null pointer");
  check_device(device);
  check_device(peer);
  *can = 0;
  return CUDA_SUCCESS;
}

VGPU_API(cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device), (context, device)) {
  require_value(context != nullptr, "expected room for the context, found a null pointer");
  check_device(device);
  *context = PrimaryContext::of(device).retain(Driver::get());
  return CUDA_SUCCESS;
}

VGPU_API(cuDevicePrimaryCtxRelease_v2, (CUdevice device), (device)) {
  check_device(device);
  PrimaryContext::of(device).release(Driver::get());
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (CUdevice device), (device))

VGPU_API(cuDevicePrimaryCtxReset_v2, (CUdevice device), (device)) {
  check_device(device);
  PrimaryContext::of(device).reset(Driver::get());
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuDevicePrimaryCtxReset, cuDevicePrimaryCtxReset_v2, (CUdevice device), (device))

VGPU_API(cuDevicePrimaryCtxSetFlags_v2, (CUdevice device, unsigned int flags), (device, flags)) {
  check_device(device);
  PrimaryContext::of(device).set_flags(flags);
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuDevicePrimaryCtxSetFlags, cuDevicePrimaryCtxSetFlags_v2, (CUdevice device, unsigned int flags),
               (device, flags))

VGPU_API(cuDevicePrimaryCtxGetState, (CUdevice device, unsigned int* flags, int* active), (device, flags, active)) {
  require_value(flags != nullptr && active != nullptr, "expected room for both answers, found a null pointer");
  check_device(device);
  PrimaryContext::of(device).state(flags, active);
  return CUDA_SUCCESS;
}
