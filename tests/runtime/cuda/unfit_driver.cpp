// A driver library that cannot serve. What is wrong with it, UNFIT_DRIVER says: "old", "incomplete", or "no device".
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

}  // namespace

extern "C" {

#define EXPORTED __attribute__((visibility("default")))

EXPORTED CUresult cuDriverGetVersion(int* version) {
  *version = is("old") ? 12040 : CUDA_VERSION + 20;
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

EXPORTED CUresult cuGetProcAddress_v2(const char* symbol, void** function, int, cuuint64_t,
                                      CUdriverProcAddressQueryResult*) {
  if (is("incomplete") && std::strcmp(symbol, "cuGraphLaunch") == 0) return CUDA_ERROR_NOT_FOUND;
  *function = reinterpret_cast<void*>(&no_device);
  return CUDA_SUCCESS;
}
}
