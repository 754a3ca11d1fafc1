// The state of the driver in one process, and the door through which every entry point goes in.
#pragma once

#include <cuda.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "driver/engine/engine.h"
#include "driver/objects/failures.h"
#include "driver/objects/handles.h"
#include "driver/objects/records.h"
#include "driver/objects/status.h"
#include "machine/device.h"

namespace vgpu::driver {

class Allocations;
class ContextObject;
class GraphTable;
struct EventObject;
struct FunctionObject;
struct GraphExecObject;
struct KernelObject;
struct LibraryObject;
struct ModuleObject;
struct PoolObject;
struct StreamObject;

/// Everything that handles lead to. Made by cuInit, never destroyed before the process ends.
class Driver {
 public:
  /// Throws Status with CUDA_ERROR_NOT_INITIALIZED before init, CUDA_ERROR_DEINITIALIZED after shut_down.
  static Driver& get();
  /// cuInit: reads the settings and makes the device. Throws Status with CUDA_ERROR_NO_DEVICE where they are wrong (a
  /// sentence on stderr says why). Later calls do nothing.
  static void init();
  /// At the end of the process: drops pending work, says what was not freed, writes the files.
  static void shut_down();
  /// The CUDA that the driver came with: VGPU_DRIVER, else CUDA_VERSION of the header. Throws Error where it is wrong.
  static int version();

  const Settings& settings() const { return device->settings(); }
  /// VGPU_DEVICES: how many devices there are, all alike; they share the arena and the memory of one.
  int devices = 1;
  /// Device memory that programs see (VGPU_MEMORY); the arena is larger, because pinned memory lies in it too.
  std::uint64_t memory_size = 0;

  /// A call that reaches the device: counts for the plan of injected failures; throws the code of a lost device.
  void reach();
  /// The same, and an event of its own kind: throws Status with `code` where it must fail.
  void inject(FailureKind kind, CUresult code);
  /// Counts a kernel that runs; true where the plan wants it to fail.
  bool fault_due();

  std::unique_ptr<Device> device;
  std::unique_ptr<Records> records;
  std::unique_ptr<Allocations> allocations;
  Handles<CUcontext, ContextObject> contexts{1};
  Handles<CUmodule, ModuleObject> modules{2};
  Handles<CUfunction, FunctionObject> functions{3};
  Handles<CUlibrary, LibraryObject> libraries{4};
  Handles<CUkernel, KernelObject> kernels{5};
  Handles<CUstream, StreamObject> streams{6};
  Handles<CUevent, EventObject> events{7};
  Handles<CUmemoryPool, PoolObject> pools{8};
  Handles<CUgraphExec, GraphExecObject> graph_execs{9};
  std::unique_ptr<GraphTable> graphs;
  std::unique_ptr<engine::Engine> engine;  ///< last: it must go first

  Driver();
  ~Driver();

 private:
  std::mutex failures_mutex_;
  FailurePlan failures_;
};

/// While one lives, stream 0 is the thread's own stream: the entry points whose names end in _ptsz and _ptds.
class PerThreadDefaultStream {
 public:
  PerThreadDefaultStream() { ++depth(); }
  ~PerThreadDefaultStream() { --depth(); }
  PerThreadDefaultStream(const PerThreadDefaultStream&) = delete;
  PerThreadDefaultStream& operator=(const PerThreadDefaultStream&) = delete;
  static bool active() { return depth() > 0; }

 private:
  static int& depth();
};

/// What an entry point asks for before its body runs.
enum class Needs : std::uint8_t {
  nothing,
  driver,  ///< cuInit has been called, and this is no host function
};
/// Runs an entry point's body and turns what it throws into a status; with VGPU_LOG=1 says why on stderr.
CUresult enter(const char* name, Needs needs, const std::function<CUresult()>& body);

}  // namespace vgpu::driver

/// Defines an entry point: VGPU_API(cuMemFree_v2, (CUdeviceptr address), (address)) { ...; return CUDA_SUCCESS; }
/// The body may throw Status; the caller gets its code. The header has declared the name, so the signature is checked.
#define VGPU_API_NEEDING(needs, name, parameters, arguments)                           \
  static CUresult name##_body parameters;                                              \
  CUresult CUDAAPI name parameters {                                                   \
    return ::vgpu::driver::enter(#name, needs, [&] { return name##_body arguments; }); \
  }                                                                                    \
  static CUresult name##_body parameters
#define VGPU_API(name, parameters, arguments) \
  VGPU_API_NEEDING(::vgpu::driver::Needs::driver, name, parameters, arguments)

/// An entry point and its variant (`suffix` is _ptsz or _ptds) for which stream 0 is the calling thread's own stream.
#define VGPU_STREAM_API(name, suffix, parameters, arguments) \
  CUresult CUDAAPI name##suffix parameters {                 \
    const ::vgpu::driver::PerThreadDefaultStream scope;      \
    return name arguments;                                   \
  }                                                          \
  VGPU_API(name, parameters, arguments)

/// An older name for an entry point that never changed its signature.
#define VGPU_API_ALIAS(name, newer, parameters, arguments) \
  VGPU_API(name, parameters, arguments) { return newer##_body arguments; }
#define VGPU_STREAM_API_ALIAS(name, suffix, newer, parameters, arguments) \
  VGPU_STREAM_API(name, suffix, parameters, arguments) { return newer##_body arguments; }
