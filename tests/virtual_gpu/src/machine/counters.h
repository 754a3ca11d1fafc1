// What a launch did, per decoded instruction.
#pragma once

#include <cstdint>
#include <vector>

#include "machine/instr.h"

namespace vgpu {

struct LineCount {
  std::uint64_t issued = 0;        ///< executions by a warp
  std::uint64_t lanes = 0;         ///< executions by a lane
  std::uint64_t divergent = 0;     ///< executions by less than the whole warp
  std::uint64_t requests = 0;      ///< memory requests by a warp
  std::uint64_t sectors = 0;       ///< 32-byte sectors of global memory that those touched
  std::uint64_t used = 0;          ///< bytes of those sectors that some lane requested
  std::uint64_t wavefronts = 0;    ///< passes over the 32 banks that shared memory needed
  std::uint64_t least = 0;         ///< passes that it would have needed with no two words in one bank
  std::uint64_t bytes = 0;         ///< bytes that the lanes requested
  std::uint64_t memory_space = 0;  ///< memory space of the bytes: 0 none, 1 global, 2 shared, 3 local

  void add(const LineCount& other) {
    issued += other.issued;
    lanes += other.lanes;
    divergent += other.divergent;
    requests += other.requests;
    sectors += other.sectors;
    used += other.used;
    wavefronts += other.wavefronts;
    least += other.least;
    bytes += other.bytes;
    memory_space |= other.memory_space;
  }
  void scale(double factor) {
    for (std::uint64_t* value :
         {&issued, &lanes, &divergent, &requests, &sectors, &used, &wavefronts, &least, &bytes}) {
      *value = static_cast<std::uint64_t>(static_cast<double>(*value) * factor + 0.5);
    }
  }
};

}  // namespace vgpu
