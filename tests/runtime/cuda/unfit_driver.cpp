// A driver library that cannot serve. What is wrong with it, UNFIT_DRIVER says: "old", "incomplete", "12.2 incomplete",
// "12.0 with a 9.0", or "no device".
#include <cuda.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

bool is(std::string_view fault) {
  const char* asked = std::getenv("UNFIT_DRIVER");
  return asked != nullptr && asked == fault;
}

/// Stands for every entry point; cuInit is the first that is called.
CUresult no_device() { return CUDA_ERROR_NO_DEVICE; }

// And those of a device of compute capability 9.0.
CUresult succeed() { return CUDA_SUCCESS; }
CUresult count(int* devices) {
  *devices = 1;
  return CUDA_SUCCESS;
}
CUresult name(char* text, int, CUdevice) {
  std::strcpy(text, "Unfit");
  return CUDA_SUCCESS;
}
CUresult attribute(int* value, CUdevice_attribute which, CUdevice) {
  *value = which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 9 : 0;
  return CUDA_SUCCESS;
}

void* function_of_hopper(std::string_view symbol) {
  if (symbol == "cuDeviceGetCount") return reinterpret_cast<void*>(&count);
  if (symbol == "cuDeviceGetName") return reinterpret_cast<void*>(&name);
  if (symbol == "cuDeviceGetAttribute") return reinterpret_cast<void*>(&attribute);
  return reinterpret_cast<void*>(&succeed);
}

int version_now() {
  if (is("old")) return 11080;
  if (is("12.2 incomplete")) return 12020;
  return is("12.0 with a 9.0") ? 12000 : CUDA_VERSION + 20;
}

}  // namespace

extern "C" {

#define EXPORTED __attribute__((visibility("default")))

EXPORTED CUresult cuDriverGetVersion(int* version) {
  *version = version_now();
  return CUDA_SUCCESS;
}

EXPORTED CUresult cuGetErrorName(CUresult, const char** name) {
  *name = "CUDA_ERROR_NO_DEVICE";
  return CUDA_SUCCESS;
}

EXPORTED CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "no CUDA-capable device is detected";
  return CUDA_SUCCESS;
}

EXPORTED CUresult cuGetProcAddress_v2(const char* symbol, void** function, int version, cuuint64_t,
                                      CUdriverProcAddressQueryResult*) {
  if (version > version_now()) return CUDA_ERROR_INVALID_VALUE;
  const bool incomplete = is("incomplete") || is("12.2 incomplete");
  if (incomplete && std::strcmp(symbol, "cuGraphLaunch") == 0) return CUDA_ERROR_NOT_FOUND;
  *function = is("12.0 with a 9.0") ? function_of_hopper(symbol) : reinterpret_cast<void*>(&no_device);
  return CUDA_SUCCESS;
}
}
