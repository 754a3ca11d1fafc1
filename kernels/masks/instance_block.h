// The block in which a GPU leaves the instances of a batch, whichever head found them. Plain C++: what a downloaded block
// says is read here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "instance.h"
#include "mask_params.h"

namespace maskrt::kernels {

/// A block in host memory.
struct FoundInstances {
  cuda::InstanceHeader header;
  std::span<const cuda::InstanceRecord> records;
};

/// How a block of fixed size lies in memory: InstanceHeader, then room for batch * queries InstanceRecords, then at
/// first_of_image_offset() batch + 1 numbers of 32 bits: which record is the first of each image, and how many records
/// there are. 16-byte aligned. Pure; thread-safe.
struct InstanceBlock {
  std::int64_t batch = 0, queries = 0;

  std::size_t first_of_image_offset() const;
  std::size_t bytes() const;

  /// Views a downloaded block. Where header.words exceeds the capacity that the call named, no bits were written: the
  /// masks are to be made again into a larger buffer, the network's outputs being still there. Throws Error where the block
  /// is too small for what it says.
  static FoundInstances read(std::span<const std::byte> block);
};

/// The instances of each image, in the order of queries, with their masks at full size. `words`: header.words of them,
/// or none where no masks were asked for. Throws Error where there are fewer. Pure; thread-safe.
std::vector<std::vector<DetectedInstance>> instances_of(const FoundInstances& found, std::span<const Geometry> images,
                                                        std::span<const std::uint64_t> words);
/// The same with run lengths for masks: header.runs of them. Of `mask` there is the size alone.
std::vector<std::vector<DetectedInstance>> instances_of(const FoundInstances& found, std::span<const Geometry> images,
                                                        std::span<const std::uint32_t> runs);

}  // namespace maskrt::kernels
