// Copies and sets: what an address is, and when the host waits. CUDA driver API, 6 "API synchronization behavior".
#pragma once

#include <cuda.h>

#include <cstdint>

#include "driver/engine/work.h"
#include "driver/objects/streams.h"

namespace vgpu::driver {

/// Rows on one side of a copy. `pitch` is the distance of rows, unused where there is one.
struct CopySide {
  std::uint64_t address = 0;
  std::uint64_t pitch = 0;
};

struct CopyShape {
  std::uint64_t row_bytes = 0;
  std::uint64_t rows = 1;
};

/// What the host does while a copy or set is under way.
enum class Waiting : std::uint8_t {
  never,   ///< the asynchronous entry points, as far as pageable memory lets them
  always,  ///< the others
};

/// Throws Status with CUDA_ERROR_INVALID_VALUE where a range that starts in the device's arena is not all inside one
/// live allocation.
void check_range(const Driver& driver, std::uint64_t address, const CopyShape& shape, std::uint64_t pitch);

/// The work of a copy, for a graph's node: memory of the host is read and written when it runs. Its payload is the copy
/// as a CUDA_MEMCPY3D.
engine::Work copy_work(const Driver& driver, CopySide destination, CopySide source, CopyShape shape);

/// Copies in a stream. Memory that is neither the driver's nor registered is pageable: what is copied from it is taken
/// over at once; what is copied to it is there when the call returns. Without `Waiting::never` the call returns when
/// the data is there, except between places on the device, and except from pageable memory, which the call has then
/// taken over, no more: work on streams that don't synchronise with the default stream is not ordered after it. Throws
/// Status.
void copy(Driver& driver, const StreamRef& stream, CopySide destination, CopySide source, CopyShape shape,
          Waiting waiting);

/// Fills `rows` rows of `columns` elements; its payload is a CUDA_MEMSET_NODE_PARAMS. Throws Status with
/// CUDA_ERROR_INVALID_VALUE for misaligned addresses.
engine::Work set_work(const Driver& driver, std::uint64_t address, std::uint32_t value, std::uint32_t element_bytes,
                      std::uint64_t columns, std::uint64_t rows, std::uint64_t pitch);
void set(Driver& driver, const StreamRef& stream, std::uint64_t address, std::uint32_t value,
         std::uint32_t element_bytes, std::uint64_t columns, std::uint64_t rows, std::uint64_t pitch);

}  // namespace vgpu::driver
