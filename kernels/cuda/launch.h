// The interface between launchers and the driver: KernelLaunch describes a launch, CudaQueue carries it out. Plain C++,
// no CUDA header: the runtime implements the queue on the driver API.
//
// The CUDA part of a kernel family x:
//   x_params.h   one struct for each kernel's parameters; read by host and device code, includes nothing of either;
//   x.cu         device code alone; each kernel is `extern "C" __global__` with that struct as its one parameter,
//                `const __grid_constant__ XParams p`;
//   x_cuda.h     the launcher's contract, always in this order: formula; shape and layout of each tensor; types and
//                accumulator; alignment; aliasing; workspace; ragged edges and limits; what bounds it;
//   x_cuda.cpp   the launcher: checks, computes the grid and the parameters, calls CudaQueue::launch. It allocates
//                nothing, synchronises nothing and holds no globals, so that a queue may be capturing a graph.
// Pointers to device memory are plain pointers; a Tensor's `data` too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "maskrt/types.hpp"
#include "tensor_map.h"

namespace maskrt::kernels {

/// The instruction sets that kernels are written for. Chips newer than 9.0 run the kernels of sm80.
enum class KernelPath : std::uint8_t { sm75, sm80, sm90a };

/// What a launcher may ask about the chip it launches on.
struct Chip {
  int compute_capability = 0;  ///< 10 x major + minor: 75, 80, 86, 89, 90, 120
  int multiprocessors = 0;
  std::uint32_t shared_per_block = 0;  ///< bytes of shared memory that one block can have at most
  std::uint32_t shared_per_multiprocessor = 0;
  std::uint32_t l2_bytes = 0;
  /// By the blocks of a cluster, 2 to 8: how many clusters are resident at a time where each block has a multiprocessor
  /// to itself. A cluster lies within one GPC, and GPCs differ in size, from chip to chip of a kind too. 0: not known.
  std::array<int, 9> resident_clusters{};

  /// The newest instruction set with kernels for this chip.
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
  /// Programmatic dependent launch. On the path sm90a the kernel may start before the preceding kernel of the queue has
  /// ended, and must execute griddepcontrol.wait before it touches memory that the preceding kernel reads or writes;
  /// its file must have PTX for 90a. On other paths this changes nothing.
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

/// Shared-memory swizzle of a TMA box: 16-byte chunks are permuted within rows of 32, 64 or 128 bytes, so that reading
/// a column of chunks meets no bank conflict.
enum class Swizzle : std::uint8_t { none, bytes32, bytes64, bytes128 };

/// A tensor in global memory as the tensor memory accelerator (TMA) addresses it: the arguments of cuTensorMapEncode*.
/// Dimensions are listed innermost first.
struct MappedTensor {
  DataType type = DataType::f16;
  bool round_to_tf32 = false;                ///< f32 only: loads round each element to tf32
  const void* address = nullptr;             ///< aligned to 16 bytes
  std::uint32_t rank = 0;                    ///< 1 to 5; im2col: 3 to 5
  std::uint64_t extents[5] = {};             ///< elements
  std::uint64_t strides[4] = {};             ///< bytes from one index of dimension i + 1 to the next; multiples of 16
  std::uint32_t steps[5] = {1, 1, 1, 1, 1};  ///< traversal stride in elements: a convolution's stride
  Swizzle swizzle = Swizzle::none;
};

/// TMA tile mode: copies of boxes. Elements outside of the tensor load as zeros and are not stored.
struct TiledMap {
  MappedTensor tensor;
  /// Elements along each dimension, 1 to 256. box[0] in bytes is a multiple of 16 and at most the swizzle's row.
  std::uint32_t box[5] = {};
};

/// TMA im2col mode (PTX ISA, "im2col mode"): one load brings a column of the im2col matrix, `pixels` consecutive window
/// positions with `channels` channels each. Window positions are enumerated over a bounding box in [W, H, D], whose
/// corners are the tensor's corners moved by `lower` and `upper`.
struct Im2colMap {
  MappedTensor tensor;               ///< [C, W, H, D, N], [C, W, H, N] or [C, W, N]
  int lower[3] = {}, upper[3] = {};  ///< pixels, W first; -128 to 127 each at rank 4
  std::uint32_t channels = 0;        ///< channels of each pixel that a load brings; at most 256
  std::uint32_t pixels = 0;          ///< pixels that a load brings; at most 1024
};

/// Where launchers submit their work, which is carried out in submission order, as on a CUDA stream. Used by one thread
/// at a time.
class CudaQueue {
 public:
  virtual ~CudaQueue() = default;

  virtual const Chip& chip() const = 0;

  /// Throws Error that names the kernel where there is no such kernel or the chip cannot launch it with this geometry.
  /// Faults inside of the kernel are asynchronous: they are reported when the host synchronises with the queue.
  virtual void launch(const KernelLaunch& launch) = 0;

  /// Sets `bytes` bytes from `address` on.
  virtual void set_bytes(void* address, std::uint8_t value, std::size_t bytes) = 0;

  /// Blocks of such a launch that are resident on the whole chip at a time (one wave), clusters considered; the
  /// launch's grid is ignored. For the grid size of persistent kernels.
  virtual int resident_blocks(const KernelLaunch& launch) = 0;

  /// Encodes a tensor map for TMA. Throws Error where the chip has no TMA (before 9.0) or the tensor is not one that
  /// TMA can address.
  virtual TensorMap encode(const TiledMap& map) = 0;
  virtual TensorMap encode(const Im2colMap& map) = 0;
};

}  // namespace maskrt::kernels
