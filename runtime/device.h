// What a device is to the executor: it prepares a network's weights, compiles it for one shape into steps over buffers,
// and turns images into its input and its outputs into instances. The executor owns order, lifetimes and the arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "kernels/postprocess/postprocess.h"
#include "kernels/preprocess/preprocess.h"
#include "kernels/tensor.h"

namespace maskrt {

enum class Precision : std::uint8_t { fp32, bf16 };

/// Memory that steps read and write. A value's tensor, an intermediate layout, or a step's scratch.
struct Buffer {
  std::string name;
  std::size_t bytes = 0;
  bool scratch = false;  ///< needed by its step alone
};

/// Where each buffer lies while a program runs: the address of buffer i is base + offsets[i].
struct Addresses {
  std::byte* base = nullptr;
  const std::size_t* offsets = nullptr;
  std::byte* operator[](int buffer) const { return base + offsets[buffer]; }
};

/// One thing that a device does, in order. A buffer that a step both reads and writes stands in both lists.
struct Step {
  std::string name;       ///< the node's; reorders: "reorder " and the value's
  std::string operation;  ///< "conv", "reorder", ...
  std::string algorithm;  ///< what the device chose: "winograd fp32", "brgemm bf16", "reference"
  std::vector<int> reads, writes;
  double flops = 0, bytes = 0;  ///< 2 per multiply-add of the layer as defined; bytes read and written at least
  std::function<void(const Addresses&)> run;
};

/// A network compiled for one shape.
struct Program {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  /// Where the input and each output of the graph lie; `tensor.data` is null until bound to an address.
  struct Binding {
    int buffer = -1;
    std::size_t byte_offset = 0;  ///< of the tensor in the buffer
    kernels::Tensor tensor;
    graph::Extent extent;
  };
  Binding input;
  std::map<std::string, Binding> outputs;  ///< by the value's name
  double tuning_seconds = 0;               ///< spent measuring algorithms for this shape
};

struct DeviceMemory {
  std::size_t prepared_weights = 0;  ///< bytes of weights in the layouts that the compiled programs use
};

/// A network with its weights prepared on a device; shared by all sessions of a model. Thread-safe.
/// Prepared weights are kept for all programs compiled so far.
class Network {
 public:
  virtual ~Network() = default;
  /// May measure algorithms; what was measured for a shape is remembered. `threads` is what the program will run on.
  virtual Program compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) = 0;
  virtual DeviceMemory memory() const = 0;
  /// The graph that is compiled, after its rewrites.
  virtual const graph::Graph& graph() const = 0;
};

/// What one image brings to a run.
struct ImageToProcess {
  kernels::Pixels pixels;
  kernels::Geometry geometry;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;         ///< "cpu"
  virtual std::string description() const = 0;  ///< the processor and what it can do, for people
  /// Throws Error where the device lacks the precision.
  virtual std::unique_ptr<Network> prepare(graph::Graph graph, Precision precision) = 0;

  virtual std::byte* allocate(std::size_t bytes) = 0;  ///< aligned to 4096; throws Error when there is no memory
  virtual void release(std::byte* memory, std::size_t bytes) noexcept = 0;

  /// Runs steps [first, last) on `threads` threads. `seconds`, where given, gets each step's time.
  virtual void run(std::span<const Step> steps, const Addresses& addresses, int threads,
                   std::vector<double>* seconds) = 0;

  /// The bound tensors are the program's, with `data` set.
  virtual void preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                          const kernels::Tensor& input, int threads) = 0;
  virtual std::vector<std::vector<kernels::DetectedInstance>> postprocess(
      std::span<const ImageToProcess> images, const kernels::Tensor& class_logits,
      const kernels::Tensor& objectness_logits, const kernels::Tensor& mask_logits,
      const kernels::PostprocessSettings& settings, int threads) = 0;
  /// A bound tensor as fp32 NCHW (lists: [B, N, C]) in host memory.
  virtual std::vector<float> read(const kernels::Tensor& tensor, bool list) = 0;
  /// The reverse, for tests and benchmarks: fp32 NCHW numbers into the bound input.
  virtual void write(const kernels::Tensor& tensor, std::span<const float> nchw) = 0;
};

/// "cpu". Opens the device's library on first use; the same object for the life of the process. Thread-safe.
/// Throws Error that names the library, where it was looked for and why it could not be opened.
Device& open_device(const std::string& name);

/// What a device library exports as `maskrt_device_open`: the version must be this header's.
constexpr int device_interface_version = 1;
using DeviceOpen = Device* (*)(int version);

}  // namespace maskrt
