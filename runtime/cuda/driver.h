// NVIDIA's driver, opened at run time: nothing of CUDA is linked, so one binary serves machines with and without a GPU.
#pragma once

#include <cuda.h>

#include <memory>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::cuda {

/// A call that the driver answered with an error.
class DriverError : public Error {
 public:
  DriverError(const std::string& sentence, CUresult status) : Error(sentence), status_(status) {}
  CUresult status() const { return status_; }

 private:
  CUresult status_;
};

/// Drivers' versions are those of the CUDA they came with: 1000 x major + 10 x minor. Below 12.0 the entry points
/// of tensor maps and cuGetProcAddress_v2 are missing; 12.1 is the first that reads PTX 8.1, which Hopper's code is in.
constexpr int kOldestDriver = 12000, kOldestDriverOfHopper = 12010;
/// The first driver whose graphs have programmatic dependent launches.
constexpr int kProgrammaticEdges = 12030;

/// "12.4" of 12040.
std::string dotted(int version);

class Driver;

/// One function of the driver. Called like the function itself; throws DriverError, which names the function, the error
/// and the error's meaning.
template <typename Function>
class EntryPoint;
template <typename... Arguments>
class EntryPoint<CUresult (*)(Arguments...)> {
 public:
  EntryPoint(const Driver& driver, const char* name) : driver_(driver), name_(name) {}
  EntryPoint(const EntryPoint&) = delete;
  EntryPoint& operator=(const EntryPoint&) = delete;

  void operator()(Arguments... arguments) const;
  /// The driver's own answer, for callers that expect some error or can do nothing about one.
  CUresult status(Arguments... arguments) const noexcept { return function_(arguments...); }

 private:
  friend class Driver;
  const Driver& driver_;
  const char* name_;
  CUresult (*function_)(Arguments...) = nullptr;
};

/// Every function that maskrt calls, by the names of the driver's documentation. Where a name has meant several
/// functions, the driver gives the newest that both it and cuda.h know. All that 12.0 and later mean by one of these
/// names have one signature: cuEventElapsedTime, of which 12.8 has another than 12.0, too.
// clang-format off
#define MASKRT_CUDA_ENTRY_POINTS(X)                                                                                    \
  X(cuInit)                                                                                                            \
  X(cuDeviceGetCount) X(cuDeviceGet) X(cuDeviceGetName) X(cuDeviceGetAttribute) X(cuDeviceTotalMem)                    \
  X(cuDevicePrimaryCtxRetain) X(cuDevicePrimaryCtxRelease) X(cuCtxPushCurrent) X(cuCtxPopCurrent)                      \
  X(cuModuleLoadData) X(cuModuleUnload) X(cuModuleGetFunction) X(cuFuncGetAttribute) X(cuFuncSetAttribute)             \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessor) X(cuOccupancyMaxActiveClusters) X(cuLaunchKernelEx)                   \
  X(cuMemAlloc) X(cuMemFree) X(cuMemGetInfo) X(cuMemHostAlloc) X(cuMemFreeHost) X(cuPointerGetAttribute)               \
  X(cuMemcpyHtoDAsync) X(cuMemcpyDtoHAsync) X(cuMemcpyDtoDAsync) X(cuMemcpy2DAsync) X(cuMemsetD8Async)                 \
  X(cuStreamCreate) X(cuStreamDestroy) X(cuStreamSynchronize) X(cuStreamWaitEvent) X(cuStreamBeginCapture)             \
  X(cuStreamIsCapturing) X(cuThreadExchangeStreamCaptureMode)                                                          \
  X(cuStreamEndCapture) X(cuEventCreate) X(cuEventDestroy) X(cuEventRecord) X(cuEventSynchronize) X(cuEventElapsedTime)\
  X(cuGraphInstantiateWithFlags) X(cuGraphDestroy) X(cuGraphGetNodes) X(cuGraphNodeGetType)                            \
  X(cuGraphExecDestroy) X(cuGraphLaunch) X(cuGraphUpload)                                                              \
  X(cuTensorMapEncodeTiled) X(cuTensorMapEncodeIm2col)
// clang-format on

/// The driver's library, initialised. Thread-safe.
class Driver {
 public:
  /// The library that MASKRT_CUDA_DRIVER names, or else libcuda.so.1; opened on first use and open for the life of the
  /// process. Throws Error where the library is missing, older than CUDA 12.0, or finds no GPU; the next call tries
  /// again.
  static const Driver& instance();

  /// `library`: a path, or a name for the loader's own search.
  explicit Driver(const std::string& library);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  const std::string& library() const { return library_; }
  int version() const { return version_; }  ///< of CUDA that the driver knows: 1000 x major + 10 x minor

  /// Throws DriverError unless `status` is success.
  void check(CUresult status, const char* call) const {
    if (status != CUDA_SUCCESS) fail(status, call);
  }
  /// "CUDA_ERROR_OUT_OF_MEMORY (out of memory)"
  std::string describe(CUresult status) const;

 private:
  [[noreturn]] void fail(CUresult status, const char* call) const;
  template <typename Function>
  void find(EntryPoint<Function>& entry);
  void initialise() const;

  struct CloseLibrary {
    void operator()(void* library) const noexcept;
  };
  std::string library_;
  std::unique_ptr<void, CloseLibrary> handle_;
  int version_ = 0;
  decltype(&::cuGetProcAddress) get_proc_address_ = nullptr;
  decltype(&::cuGetErrorName) error_name_ = nullptr;
  decltype(&::cuGetErrorString) error_text_ = nullptr;

 public:
#define MASKRT_CUDA_MEMBER(name) EntryPoint<decltype(&::name)> name{*this, #name};
  MASKRT_CUDA_ENTRY_POINTS(MASKRT_CUDA_MEMBER)
#undef MASKRT_CUDA_MEMBER
};

template <typename... Arguments>
void EntryPoint<CUresult (*)(Arguments...)>::operator()(Arguments... arguments) const {
  driver_.check(function_(arguments...), name_);
}

}  // namespace maskrt::cuda
