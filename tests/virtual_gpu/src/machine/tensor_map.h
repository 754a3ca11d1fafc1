// The 128 bytes that the virtual GPU keeps in a CUtensorMap, and copies of boxes that it describes.
// CUDA driver API, 6.30 "Tensor Map Object Management"; PTX ISA, 5.5 "Tensors".
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "machine/cta.h"

namespace vgpu {

struct TensorMap {
  enum class Fill : std::uint8_t { zero, nan };

  std::uint64_t address = 0;
  std::array<std::uint64_t, 5> sizes{};               ///< in elements, the innermost dimension first
  std::array<std::uint64_t, 5> strides{};             ///< in bytes; of dimension 0 the element's size
  std::array<std::uint32_t, 5> box{};                 ///< tiled: in elements
  std::array<std::uint32_t, 5> steps{1, 1, 1, 1, 1};  ///< element strides of the traversal
  std::uint32_t rank = 0;
  std::uint32_t element_bytes = 2;
  bool floating = true;
  Type type = Type::none;           ///< element type, for reductions; 32-bit formats with flushing count as f32
  std::uint32_t swizzle_bytes = 0;  ///< 0, 32, 64 or 128
  Fill fill = Fill::zero;
  bool im2col = false;
  std::array<std::int32_t, 3> lower{}, upper{};  ///< im2col: corners of the bounding box, the innermost first
  std::uint32_t channels = 0, pixels = 0;        ///< im2col: per pixel, per column

  /// Bytes that one copy moves through shared memory.
  std::uint32_t box_bytes() const;
  std::array<std::uint8_t, 128> encode() const;
  /// False where the bytes are no tensor map of the virtual GPU's.
  static bool decode(const std::uint8_t* bytes, TensorMap& map);
};

/// Data in flight, in the order of the box, with the definedness of each byte.
struct BoxData {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> states;
};

/// Checks that what lies inside the tensor lies inside allocations, for a prefetch. Throws Fault.
void prefetch_box(const Warp& w, const Instr& instr, Lanes lanes, const TensorMap& map, const std::int32_t* coordinates,
                  const std::uint32_t* offsets);
/// Reads a box from global memory. `offsets` are im2col's. Throws Fault.
BoxData read_box(Warp& w, const Instr& instr, Lanes lanes, const TensorMap& map, const std::int32_t* coordinates,
                 const std::uint32_t* offsets);
/// What a reduction does to one element in memory, atomically.
using Update = void (*)(std::uint8_t* memory, const std::uint8_t* operand);
/// Writes what of a box lies inside the tensor, or updates each element with it. Throws Fault.
void write_box(Warp& w, const Instr& instr, Lanes lanes, const TensorMap& map, const std::int32_t* coordinates,
               const BoxData& data, Update update = nullptr);
/// Writes `bytes` of data and their states to global memory, or updates elements of `size` bytes there. Throws Fault.
void write_global(Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address, const std::uint8_t* data,
                  const std::uint8_t* states, std::uint32_t bytes, std::uint32_t size, Update update);
/// Where byte `offset` of a box at shared address `base` lies. PTX ISA, 5.5.6 "Swizzling Modes".
std::uint32_t swizzled(const TensorMap& map, std::uint32_t base, std::uint32_t offset);

}  // namespace vgpu
