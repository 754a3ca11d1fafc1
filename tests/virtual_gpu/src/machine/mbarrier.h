// mbarrier objects: counts in shared memory, what the checks know beside them. PTX ISA, 9.7.13.15.
#pragma once

#include <cstdint>

#include "machine/cta.h"

namespace vgpu {

/// A live mbarrier object. The 64 bits in shared memory are opaque to programs; here: pending arrivals in bits 0 to 19,
/// the phase's arrivals in 20 to 39, the transaction count in 40 to 61 (signed), the phase's parity in 63.
class MbarrierRef {
 public:
  MbarrierRef(Cta& cta, std::uint32_t offset, Mbarrier& known) : cta_(&cta), offset_(offset), known_(&known) {}

  std::uint64_t word() const;
  Cta& cta() const { return *cta_; }
  Mbarrier& known() const { return *known_; }
  bool parity() const { return (word() >> 63 & 1) != 0; }

  /// `count` arrivals by what `view` is ordered after. Throws Fault where more come than the phase expects.
  void arrive(const Warp& w, const Instr& instr, Lanes lanes, std::uint32_t count, const View& view);
  /// As arrive, and the phases that follow expect as many fewer.
  void arrive_and_drop(const Warp& w, const Instr& instr, Lanes lanes, std::uint32_t count, const View& view);
  /// Adds to what the phase waits for.
  void expect_arrivals(std::uint32_t count);
  void expect_transactions(const Warp& w, const Instr& instr, Lanes lanes, std::int64_t bytes);
  void complete_transactions(const Warp& w, const Instr& instr, Lanes lanes, std::int64_t bytes);
  /// The agent that writes data on behalf of a copy that completes here.
  Accessor accessor(const Instr& instr, const Warp& w) const;

 private:
  void store(std::uint64_t word);
  void finish_phase();

  Cta* cta_;
  std::uint32_t offset_;
  Mbarrier* known_;
};

/// The object at a shared address. Throws Fault where none is live there.
MbarrierRef find_mbarrier(const Warp& w, const Instr& instr, Lanes lanes, std::uint64_t address);
/// mbarrier.init and mbarrier.inval. Throw Fault.
void init_mbarrier(Warp& w, Lanes lanes, std::uint64_t address, std::uint32_t count);
void invalidate_mbarrier(Warp& w, Lanes lanes, std::uint64_t address);

}  // namespace vgpu
