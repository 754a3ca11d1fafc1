// What a device is to the executor: it prepares a network's weights, compiles it for one shape into steps over buffers,
// and turns images into its input and its outputs into results. The executor owns order, lifetimes and the arena.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/fused_kernels.h"
#include "graph/heads.h"
#include "kernels/masks/instance.h"
#include "kernels/preprocess/preprocess.h"
#include "kernels/tensor.h"
#include "maskrt/maskrt.hpp"
#include "precision.h"

namespace maskrt {

class DeviceStream;

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
  DeviceStream* stream = nullptr;  ///< that the steps run on; of the device that compiled them
  std::byte* operator[](int buffer) const { return base + offsets[buffer]; }
};

/// One thing that a device does, in order. A buffer that a step both reads and writes stands in both lists.
struct Step {
  std::string name;       ///< the node's; reorders: "reorder " and the value's
  std::string module;     ///< the node's, or that of the node which made the value, as graph::module_of() has it
  std::string operation;  ///< "conv", "reorder", ...
  std::string algorithm;  ///< what the device chose: "winograd fp32", "brgemm bf16", "reference"
  std::vector<int> reads, writes;
  double flops = 0, bytes = 0;  ///< 2 per multiply-add of the layer as defined; bytes read and written at least
  /// What the chosen algorithm multiplies and adds at least, where that is less than the layer as defined (Winograd).
  std::optional<double> least_flops;
  std::optional<Precision> arithmetic;  ///< what it multiplies in, where that is not the program's precision
  double predicted_seconds = 0;         ///< by the device's own model of the algorithm; 0: it has none
  /// Neither what the head reads nor a kept value depends on it: only who asks for the network's outputs runs it.
  bool for_outputs_alone = false;
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
  std::map<std::string, Binding> outputs;         ///< by the value's name
  graph::Head head;                               ///< what is found in the values below
  std::map<graph::ValueId, Binding> head_values;  ///< all that the head reads; kept to the end like outputs
  double tuning_seconds = 0;                      ///< spent measuring algorithms for this shape
};

/// Where a value lies in a running program.
inline kernels::Tensor bound(const Program::Binding& binding, const Addresses& addresses) {
  kernels::Tensor tensor = binding.tensor;
  tensor.data = addresses[binding.buffer] + binding.byte_offset;
  return tensor;
}

/// Gives a program, built of a network's graph, its head: what the head reads, and Step::for_outputs_alone. `extents`
/// is indexed by value. Throws Error where a value is not what the head reads.
void attach_head(Program& program, const graph::LoweredNetwork& network, const std::vector<graph::Extent>& extents);

struct NetworkMemory {
  std::size_t prepared_weights = 0;  ///< bytes of weights in the layouts that the compiled programs use
};

using TuningProgress = std::function<void(std::size_t done, std::size_t all)>;

/// A network with its weights prepared on a device; shared by all sessions of a model. Thread-safe.
/// Prepared weights are kept as long as a program needs them; those of the program compiled last stay.
class Network {
 public:
  virtual ~Network() = default;
  /// May measure algorithms; what was measured for a shape is remembered. `threads` is what the program will run on.
  virtual Program compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) = 0;
  virtual NetworkMemory memory() const = 0;
  /// Has a rule decide on algorithms from now on, or a file where one is used. A device that never measures to compile
  /// has nothing to do.
  virtual void measure_nothing() {}
  /// Has a file of measured choices of algorithms decide from now on: nothing is measured then. Gives why it cannot, in
  /// a few words: "... has no choices for ..."; empty where it does. Throws Error that names the file and the line
  /// which is none.
  virtual std::string use_tuning(const std::string& file) = 0;
  /// Measures all choices of algorithms for a shape on a stream of the same device; gives the text of such a file, with
  /// what the file in use has for others. `progress`, where given, hears how many of how many convolutions are done.
  /// Throws Error on a device without a clock.
  virtual std::string tune(std::int64_t batch, std::int64_t height, std::int64_t width, DeviceStream& stream,
                           const TuningProgress& progress) = 0;
  /// What is compiled, after its rewrites.
  virtual const graph::LoweredNetwork& network() const = 0;
  const graph::Graph& graph() const { return network().graph; }
};

/// What one image brings to a run.
struct ImageToProcess {
  kernels::Pixels pixels;
  kernels::Geometry geometry;
  bool on_device = false;  ///< the pixels lie in the device's memory
};

/// What is wanted of a run. What the head's own settings are is part of the program.
struct DetectionOptions {
  Task task = Task::instances;          ///< one of the head's
  float minimum_score = 0;              ///< on the final score: instances below are left out
  bool masks = true;                    ///< false: scores and classes only; boxes and areas stay 0
  MaskForm mask_form = MaskForm::bits;  ///< a device on the host's memory may give bits in any case
  std::size_t run_capacity = 0;         ///< enqueue: as RunOptions says
};

/// Seconds by stage. A GPU does everything at one go: there `network` is all that it computes, `preprocess` the way of
/// the pixels to it and `postprocess` the way of the results back, all by its own clock.
struct StageSeconds {
  double preprocess = 0, network = 0, postprocess = 0;
};

/// What a head finds in one image, by its task. Classes are numbers here; a session names them.
using Detected = std::variant<std::vector<kernels::DetectedInstance>, SemanticMap, PanopticMap>;

/// A program bound to memory, ready to run again and again on one stream. The program, the memory and the stream must
/// outlive it.
class Execution {
 public:
  virtual ~Execution() = default;
  /// The network alone, on what its input holds; waits for its end. Gives the time that it took, by the device's own
  /// clock where it has one; `seconds`, where given, gets each step's.
  virtual double run(std::vector<double>* seconds) = 0;
  /// From pixels to what the head finds in each image; as many images as the program's batch. Throws Error where the
  /// program has no head.
  virtual std::vector<Detected> detect(std::span<const ImageToProcess> images, const DetectionOptions& options,
                                       StageSeconds& seconds) = 0;
  /// As detect(), with the stages started one by one, for benchmarks: gives the seconds that pre-processing, the
  /// network and post-processing take on the device, without the ways to it and back.
  virtual StageSeconds time_stages(std::span<const ImageToProcess> images, const DetectionOptions& options) {
    StageSeconds seconds;
    detect(images, options, seconds);
    return seconds;
  }
  /// The same without waiting; instances stay on the device. Throws Error where there is no device memory.
  virtual DeviceResults enqueue(std::span<const ImageToProcess>, const DetectionOptions&) {
    throw Error("enqueue: expected a model on a GPU, found one that computes in host memory");
  }
};

/// One session's work on a device, in order. Belongs to one thread at a time.
class DeviceStream {
 public:
  virtual ~DeviceStream() = default;

  /// Does a session's work where the device wants it done, and returns at its end: on the calling thread, or on one of
  /// the device's own while the caller waits. What the work throws comes out.
  virtual void perform(const std::function<void()>& work) { work(); }

  virtual std::byte* allocate(
      std::size_t bytes) = 0;  ///< aligned to 256 at least; throws Error when there is no memory
  virtual void release(std::byte* memory, std::size_t bytes) noexcept = 0;

  /// Binds a program of this device to addresses, and to the normalisation of the images that it will see. Throws Error
  /// when there is no memory for what it needs beside them.
  virtual std::unique_ptr<Execution> bind(const Program& program, const Addresses& addresses,
                                          const kernels::Normalisation& normalisation) = 0;
  /// Runs some of a program's steps and waits for their end.
  virtual void run(std::span<const Step> steps, const Addresses& addresses) = 0;
  /// Resizes, normalises and pads images into a program's input; `data` of the tensor is set.
  virtual void preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                          const kernels::Tensor& input) = 0;

  /// A bound tensor as fp32 NCHW (lists: [B, N, C]) in host memory.
  virtual std::vector<float> read(const kernels::Tensor& tensor, bool list) = 0;
  /// The reverse: fp32 NCHW numbers into the bound input.
  virtual void write(const kernels::Tensor& tensor, std::span<const float> nchw) = 0;
};

/// What a device does in a second at best; 0 where it does not tell.
struct PeakRates {
  double flops = 0, bytes = 0;  ///< a multiply-add is two; of its memory
  /// What may come from the last cache comes faster: steps that move at most `cache` bytes. 0: no difference is made.
  double cache = 0, cached_bytes = 0;
};

/// The time that a step takes at least at these rates; 0 where they are not told.
inline double least_seconds(const Step& step, const PeakRates& peak) {
  if (peak.flops <= 0 || peak.bytes <= 0) return 0;
  const double rate = step.bytes <= peak.cache ? peak.cached_bytes : peak.bytes;
  return std::max(step.least_flops.value_or(step.flops) / peak.flops, step.bytes / rate);
}

struct StreamOptions {
  int threads = 1;                 ///< of a device that computes on the host's cores
  void* stream = nullptr;          ///< of a GPU: the caller's CUstream
  DeviceAllocator allocator = {};  ///< of a GPU: empty: the driver's memory
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;         ///< "cpu"
  virtual std::string description() const = 0;  ///< the processor and what it can do, for people
  virtual Precision default_precision() const = 0;
  /// With `threads` of a device that computes on the host's cores. May measure on first use, for some milliseconds.
  virtual PeakRates peak(Precision, int /*threads*/) { return {}; }
  /// Rewrites on request (graph/rewrites/rewrites.h) that pay on this device.
  virtual std::set<std::string, std::less<>> wanted_rewrites() const { return {}; }
  /// What rewrites into fused operations may make where the network computes in a precision.
  virtual graph::FusedKernels fused_kernels(Precision) const { return {}; }
  /// Throws Error where the device lacks the precision.
  virtual std::unique_ptr<Network> prepare(graph::LoweredNetwork network, Precision precision) = 0;
  virtual std::unique_ptr<DeviceStream> open_stream(const StreamOptions& options) = 0;
  /// Whether it has failed for good: no call will succeed before all who hold it have let go, and it is opened again.
  virtual bool lost() const noexcept { return false; }
  /// Throws Error in a child of fork that the device does not work in.
  virtual void check_process() const {}
};

/// "cpu", "cuda" (the first GPU) or "cuda:N". Opens the device's library or the driver on first use; the same object
/// for all who hold it at a time; what a GPU holds goes back with the last of them. Thread-safe. Throws Error that says
/// what was looked for, where, and why it could not be had; the next call tries again.
std::shared_ptr<Device> open_device(const std::string& name);

/// What a device library exports as `maskrt_device_open`: the version must be this header's.
constexpr int kDeviceInterfaceVersion = 7;
using DeviceOpen = Device* (*)(int version);

}  // namespace maskrt
