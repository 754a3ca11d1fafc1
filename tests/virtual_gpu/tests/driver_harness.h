// What the tests of the driver's interface share: calls whose status is checked, and a context with a module.
#pragma once

#include <cuda.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace vgpu_test {

inline std::string name_of(CUresult status) {
  const char* name = nullptr;
  return cuGetErrorName(status, &name) == CUDA_SUCCESS ? name : std::to_string(static_cast<int>(status));
}

/// Goes on where the call gives another status, and says so.
#define GIVES(status, call)                                        \
  do {                                                             \
    INFO(#call);                                                   \
    CHECK(vgpu_test::name_of(call) == vgpu_test::name_of(status)); \
  } while (false)
/// Ends the test where the call fails.
#define OK(call)                                                      \
  do {                                                                \
    INFO(#call);                                                      \
    REQUIRE(vgpu_test::name_of(call) == std::string("CUDA_SUCCESS")); \
  } while (false)

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  INFO(path);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
inline std::string test_ptx(const std::string& name) {
  return file_text(std::string(MASKRT_TEST_DATA) + "/ptx_cuda/" + name);
}

/// The primary context, current as long as this lives; reset at the end, whatever a test has left in it.
class Session {
 public:
  Session() {
    OK(cuInit(0));
    OK(cuDevicePrimaryCtxRetain(&context, 0));
    OK(cuCtxPushCurrent(context));
  }
  ~Session() {
    CUcontext popped = nullptr;
    cuCtxPopCurrent(&popped);
    cuDevicePrimaryCtxReset(0);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  CUcontext context = nullptr;
};

/// The kernels of tests/data/ptx_cuda/driver.cu, or of another text.
class Kernels {
 public:
  explicit Kernels(const std::string& ptx = test_ptx("driver.ptx")) { OK(cuModuleLoadData(&module, ptx.c_str())); }
  CUfunction operator[](const char* name) const {
    CUfunction function = nullptr;
    OK(cuModuleGetFunction(&function, module, name));
    return function;
  }
  CUmodule module = nullptr;
};

/// Launches with parameters in order, each of exactly the kernel's type.
template <class... P>
CUresult launch(CUfunction function, unsigned blocks, unsigned threads, CUstream stream, P... values) {
  void* params[] = {&values..., nullptr};
  return cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, stream, params, nullptr);
}

template <class T>
CUdeviceptr upload(const std::vector<T>& values) {
  CUdeviceptr address = 0;
  OK(cuMemAlloc(&address, values.size() * sizeof(T)));
  OK(cuMemcpyHtoD(address, values.data(), values.size() * sizeof(T)));
  return address;
}
template <class T>
std::vector<T> download(CUdeviceptr address, std::size_t count) {
  std::vector<T> values(count);
  OK(cuMemcpyDtoH(values.data(), address, count * sizeof(T)));
  return values;
}

}  // namespace vgpu_test
