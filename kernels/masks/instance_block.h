// The result block of a batch's instances on a GPU, common to all heads, and its parser for the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "instance.h"
#include "mask_params.h"

namespace maskrt::kernels {

/// A parsed block in host memory.
struct FoundInstances {
  cuda::InstanceHeader header;
  std::span<const cuda::InstanceRecord> records;
};

/// Layout of the block, whose size is fixed: an InstanceHeader, then batch * queries InstanceRecords, of which
/// header.instances are used, then at first_of_image_offset() batch + 1 numbers of 32 bits: the index of each image's
/// first record, and the number of records. Aligned to 16 bytes. Pure; thread-safe.
struct InstanceBlock {
  std::int64_t batch = 0, queries = 0;

  std::size_t first_of_image_offset() const;
  std::size_t bytes() const;

  /// Parses a downloaded block without copying it. Where header.words exceeds the call's capacity, no bits were
  /// written: the masks must be computed again into a larger buffer, from the network's outputs, which are still there.
  /// Throws Error where the block is too small for its contents.
  static FoundInstances read(std::span<const std::byte> block);
};

/// The instances of each image, in the order of queries, with their masks at full size. `words`: header.words of them,
/// or none where masks were not requested. Throws Error where there are fewer. Pure; thread-safe.
std::vector<std::vector<DetectedInstance>> instances_of(const FoundInstances& found, std::span<const Geometry> images,
                                                        std::span<const std::uint64_t> words);
/// The same with run lengths, header.runs of them, instead of bits: `mask` has its size only.
std::vector<std::vector<DetectedInstance>> instances_of(const FoundInstances& found, std::span<const Geometry> images,
                                                        std::span<const std::uint32_t> runs);

}  // namespace maskrt::kernels
