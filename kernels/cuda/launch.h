// How launchers launch: what they say of a launch, and the queue that carries it out. Plain C++, no CUDA header: the
// runtime implements the queue on the driver.
//
// A family's CUDA part is three files beside its contract:
//   x_params.h   one struct for each kernel's parameters; read by host and device code, includes nothing of either;
//   x.cu         device code alone; each kernel is `extern "C" __global__` with that struct as its one parameter,
//                `const __grid_constant__ XParams p`;
//   x_cuda.cpp   the launcher: checks, computes the grid and the parameters, calls CudaQueue::launch. It allocates
//                nothing, synchronises nothing and holds no globals, so that a queue may be capturing a graph.
// Pointers to device memory are plain pointers; a Tensor's `data` too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "maskrt/types.hpp"
#include "tensor_map.h"

namespace maskrt::kernels {

/// The instruction sets that kernels are written for. Chips newer than 9.0 take the second.
enum class KernelPath : std::uint8_t { sm75, sm80, sm90a };

/// What a launcher may ask about the chip it launches on.
struct Chip {
  int compute_capability = 0;  ///< 10 x major + minor: 75, 80, 86, 89, 90, 120
  int multiprocessors = 0;
  std::uint32_t shared_per_block = 0;  ///< bytes of shared memory that one block can have at most
  std::uint32_t shared_per_multiprocessor = 0;
  std::uint32_t l2_bytes = 0;

  /// The newest that runs here.
  constexpr KernelPath path() const {
    if (compute_capability == 90) return KernelPath::sm90a;
    return compute_capability >= 80 ? KernelPath::sm80 : KernelPath::sm75;
  }
};

/// A kernel: the .cu file it is in (its path below kernels/ without the ending) and its name there.
struct KernelName {
  const char* file;   ///< "pool/max_pool"
  const char* entry;  ///< "max_pool_f16"
};

struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
  constexpr std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

/// One launch. Views the parameters: they live until the call that takes the launch returns.
struct KernelLaunch {
  KernelName kernel;
  Dim3 grid;                       ///< blocks; y and z at most 65535
  Dim3 block;                      ///< threads
  Dim3 cluster = {};               ///< blocks of one cluster (sm_90 and newer); divides the grid
  std::uint32_t shared_bytes = 0;  ///< dynamic shared memory a block
  /// Programmatic dependent launch. On the path sm90a the kernel may start before the one ahead of it in the queue has
  /// ended, and must execute griddepcontrol.wait before it touches what that one reads or writes: its file has PTX for
  /// 90a. Elsewhere this changes nothing.
  bool overlaps_previous = false;
  std::span<const std::byte> parameters;
};

/// The bytes of a kernel's parameter struct, for KernelLaunch::parameters.
template <typename Parameters>
std::span<const std::byte> bytes_of(const Parameters& parameters) {
  static_assert(std::is_trivially_copyable_v<Parameters> && std::is_standard_layout_v<Parameters>);
  static_assert(sizeof(Parameters) <= 4096, "sm_75 and older drivers take no more");
  return std::as_bytes(std::span(&parameters, 1));
}

/// How the rows of a box lie in shared memory: 16-byte pieces permuted within rows of 32, 64 or 128 bytes.
enum class Swizzle : std::uint8_t { none, bytes32, bytes64, bytes128 };

/// A tensor in global memory as tensor copies see it. Dimensions are listed innermost first.
struct MappedTensor {
  DataType type = DataType::f16;
  bool round_to_tf32 = false;                ///< f32 alone: what is loaded is rounded to tf32
  const void* address = nullptr;             ///< aligned to 16 bytes
  std::uint32_t rank = 0;                    ///< 1 to 5; im2col: 3 to 5
  std::uint64_t extents[5] = {};             ///< elements
  std::uint64_t strides[4] = {};             ///< bytes from one index of dimension i + 1 to the next; multiples of 16
  std::uint32_t steps[5] = {1, 1, 1, 1, 1};  ///< elements from one taken to the next: a convolution's stride
  Swizzle swizzle = Swizzle::none;
};

/// Copies of boxes; what lies outside of the tensor reads as zero and is not written.
struct TiledMap {
  MappedTensor tensor;
  std::uint32_t box[5] =
      {};  ///< elements, 1 to 256 each; the innermost in bytes a multiple of 16 and at most the swizzle
};

/// Copies of convolution windows (PTX manual, "im2col mode"): a column of pixels taken from a box in [W, H, D], whose
/// corners are the tensor's moved by `lower` and `upper`, with some of the channels of each.
struct Im2colMap {
  MappedTensor tensor;               ///< [C, W, H, D, N], [C, W, H, N] or [C, W, N]
  int lower[3] = {}, upper[3] = {};  ///< W first; rank 4: -128 to 127
  std::uint32_t channels = 0;        ///< of a pixel; at most 256
  std::uint32_t pixels = 0;          ///< of a column; at most 1024
};

/// Where launchers send their work; it is carried out in the order in which it came. Belongs to one thread at a time.
class CudaQueue {
 public:
  virtual ~CudaQueue() = default;

  virtual const Chip& chip() const = 0;

  /// Throws Error that names the kernel where there is no such kernel or the chip cannot launch it like this. Faults of
  /// the kernel itself show when somebody waits for the queue.
  virtual void launch(const KernelLaunch& launch) = 0;

  /// Sets `bytes` bytes from `address` on.
  virtual void set_bytes(void* address, std::uint8_t value, std::size_t bytes) = 0;

  /// How many blocks of such a launch the whole chip holds at a time, clusters considered; the grid is not looked at.
  /// For kernels that stay and fetch their work.
  virtual int resident_blocks(const KernelLaunch& launch) = 0;

  /// Throws Error where the chip has no tensor copies (before 9.0) or the tensor is not one that it can describe.
  virtual TensorMap encode(const TiledMap& map) = 0;
  virtual TensorMap encode(const Im2colMap& map) = 0;
};

}  // namespace maskrt::kernels
