#include "driver/objects/copies.h"

#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "driver/engine/works.h"
#include "driver/objects/allocations.h"

namespace vgpu::driver {
namespace {

/// What copies need to know of an address.
struct Place {
  bool in_arena = false;  ///< device memory, pinned, managed, variables of modules
  bool pageable = false;
  bool host = false;  ///< the program can see it without a call
};

Place place_of(const Driver& driver, std::uint64_t address) {
  const std::optional<Allocation> range = driver.allocations->find(address);
  if (range && range->kind == Allocation::Kind::registered) return {false, false, true};
  if (!driver.device->memory().contains(address)) return {false, true, true};
  return {true, false, range && (range->kind == Allocation::Kind::pinned || range->kind == Allocation::Kind::managed)};
}

engine::Side side(const Place& place, const CopySide& at) { return {at.address, at.pitch, place.in_arena}; }

/// The same work on a private copy of what its source holds now.
engine::Work work_from_pageable(const Place& to, CopySide destination, CopySide source, CopyShape shape) {
  auto taken = std::make_shared<std::vector<std::uint8_t>>(shape.row_bytes * shape.rows);
  for (std::uint64_t row = 0; row < shape.rows; ++row) {
    std::memcpy(taken->data() + row * shape.row_bytes,
                reinterpret_cast<const void*>(source.address + row * source.pitch), shape.row_bytes);
  }
  const engine::Side from{reinterpret_cast<std::uint64_t>(taken->data()), shape.row_bytes, false};
  engine::Work work = engine::copy_work(side(to, destination), from, shape.row_bytes, shape.rows, to.host);
  work.run = [taken, run = std::move(work.run)](const engine::Execution& execution) { run(execution); };
  return work;
}

}  // namespace

void check_range(const Driver& driver, std::uint64_t address, const CopyShape& shape, std::uint64_t pitch) {
  require_value(address != 0, "expected memory, found a null pointer");
  if (!driver.device->memory().contains(address)) return;
  const std::uint64_t bytes = (shape.rows - 1) * pitch + shape.row_bytes;
  if (driver.device->memory().covers(address, bytes)) return;
  throw Status(CUDA_ERROR_INVALID_VALUE, "expected " + std::to_string(bytes) +
                                             " bytes inside one live allocation, found them to start at " +
                                             driver.device->memory().describe(address));
}

engine::Work copy_work(const Driver& driver, CopySide destination, CopySide source, CopyShape shape) {
  check_range(driver, destination.address, shape, destination.pitch);
  check_range(driver, source.address, shape, source.pitch);
  const Place to = place_of(driver, destination.address), from = place_of(driver, source.address);
  engine::Work work =
      engine::copy_work(side(to, destination), side(from, source), shape.row_bytes, shape.rows, to.host);
  CUDA_MEMCPY3D payload{};
  payload.dstMemoryType = to.host ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
  payload.dstHost = to.host ? reinterpret_cast<void*>(destination.address) : nullptr;
  payload.dstDevice = to.host ? 0 : destination.address;
  payload.dstPitch = destination.pitch;
  payload.dstHeight = shape.rows;
  payload.srcMemoryType = from.host ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
  payload.srcHost = from.host ? reinterpret_cast<const void*>(source.address) : nullptr;
  payload.srcDevice = from.host ? 0 : source.address;
  payload.srcPitch = source.pitch;
  payload.srcHeight = shape.rows;
  payload.WidthInBytes = shape.row_bytes;
  payload.Height = shape.rows;
  payload.Depth = 1;
  work.payload = payload;
  return work;
}

void copy(Driver& driver, const StreamRef& stream, CopySide destination, CopySide source, CopyShape shape,
          Waiting waiting) {
  if (waiting == Waiting::always) engine::guard_unsafe_call();
  if (shape.row_bytes == 0 || shape.rows == 0) return;
  engine::Work work = copy_work(driver, destination, source, shape);
  driver.inject(FailureKind::copy, CUDA_ERROR_UNKNOWN);
  const Place to = place_of(driver, destination.address), from = place_of(driver, source.address);
  if (stream.capturing()) {
    stream->submit(std::move(work));
  } else if (to.pageable) {
    stream->submit_and_wait(std::move(work));
  } else if (from.pageable) {
    if (waiting == Waiting::always) {
      stream->synchronize();
      stream.context->staged_copy = true;
    }
    stream->submit(work_from_pageable(to, destination, source, shape));
  } else if (waiting == Waiting::always && (to.host || from.host)) {
    stream->submit_and_wait(std::move(work));
  } else {
    stream->submit(std::move(work));
  }
}

engine::Work set_work(const Driver& driver, std::uint64_t address, std::uint32_t value, std::uint32_t element_bytes,
                      std::uint64_t columns, std::uint64_t rows, std::uint64_t pitch) {
  require_value(address % element_bytes == 0 && (rows == 1 || pitch % element_bytes == 0),
                "expected an address and a pitch that are multiples of the element's size");
  require_value(rows == 1 || pitch >= columns * element_bytes, "expected a pitch that holds a row");
  require_value(driver.device->memory().contains(address), "expected memory of the device");
  check_range(driver, address, {columns * element_bytes, rows}, pitch);
  engine::Work work = engine::set_work(address, value, element_bytes, columns, rows, pitch);
  work.host_visible = place_of(driver, address).host;
  work.payload = CUDA_MEMSET_NODE_PARAMS{address, pitch, value, element_bytes, columns, rows};
  return work;
}

void set(Driver& driver, const StreamRef& stream, std::uint64_t address, std::uint32_t value,
         std::uint32_t element_bytes, std::uint64_t columns, std::uint64_t rows, std::uint64_t pitch) {
  if (columns == 0 || rows == 0) return;
  engine::Work work = set_work(driver, address, value, element_bytes, columns, rows, pitch);
  driver.inject(FailureKind::copy, CUDA_ERROR_UNKNOWN);
  stream->submit(std::move(work));
}

}  // namespace vgpu::driver
