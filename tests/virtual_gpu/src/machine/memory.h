// Device memory: one arena whose device addresses are host addresses, with a state for every byte.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace vgpu {

/// What is known of one byte. Zero is what fresh pages hold.
enum class ByteState : std::uint8_t {
  unallocated = 0,
  freed = 1,
  undefined = 2,  ///< never written, or copied from what was never written
  tainted = 3,    ///< computed from what was never written
  defined = 4,
  pending = 5,   ///< the destination of an asynchronous copy not yet waited for (shared memory only)
  mbarrier = 6,  ///< part of a live mbarrier object (shared memory only)
};

/// Generic addresses of the other state spaces lie in windows that no host address reaches. PTX ISA, 5.2 "State
/// Spaces".
constexpr std::uint64_t kSharedWindow = 0x0100'0000'0000'0000;
constexpr std::uint64_t kLocalWindow = 0x0200'0000'0000'0000;
constexpr std::uint64_t kParamWindow = 0x0300'0000'0000'0000;
/// Addresses of functions: nothing can be read there.
constexpr std::uint64_t kFunctionWindow = 0x0400'0000'0000'0000;
constexpr std::uint64_t kWindowMask = 0xff00'0000'0000'0000;
/// In an address of shared memory, one more than the rank of the block in its cluster stands above this bit; 0 there is
/// the block's own memory.
constexpr int kClusterRankShift = 24;
/// Where a block's shared memory starts; what lies below is the system's.
constexpr std::uint32_t kSharedBase = 1024;

/// The last accesses to one 4-byte word; packed by GlobalShadow.
struct GlobalTags {
  std::uint64_t write;
  std::uint64_t read;
  std::uint32_t write_clock;  ///< clock of the warp that made the access; 0 where its own block need not check
  std::uint32_t read_clock;
};

class Memory {
 public:
  struct Allocation {
    std::uint64_t bytes = 0;
    std::uint64_t serial = 0;
    bool live = true;
  };

  /// Reserves address space; pages are taken when touched. Throws Error where the system refuses.
  explicit Memory(std::uint64_t capacity);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// 0 where the capacity is spent. Every allocation is followed by a fence of unallocated bytes.
  std::uint64_t allocate(std::uint64_t bytes, std::uint64_t alignment = 512);
  /// False where no live allocation starts there.
  bool release(std::uint64_t address);

  /// Host copies. The caller has checked the range with `covers`.
  void write(std::uint64_t address, const void* source, std::uint64_t bytes);
  void read(std::uint64_t address, void* destination, std::uint64_t bytes) const;
  void copy(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes);
  void mark(std::uint64_t address, std::uint64_t bytes, ByteState state);

  bool contains(std::uint64_t address) const { return address - base_ < capacity_; }
  /// True where the whole range lies inside one live allocation.
  bool covers(std::uint64_t address, std::uint64_t bytes) const;
  /// True where every byte of the range has been written.
  bool defined(std::uint64_t address, std::uint64_t bytes) const;
  /// "8 bytes past the end of allocation 3 (400 bytes at 0x...)".
  std::string describe(std::uint64_t address) const;

  std::uint64_t base() const { return base_; }
  std::uint64_t capacity() const { return capacity_; }
  std::uint64_t bytes_in_use() const { return in_use_; }
  std::uint64_t allocations_in_use() const;
  /// The allocation that holds an address, dead ones too; end of the map where there is none.
  std::map<std::uint64_t, Allocation>::const_iterator find(std::uint64_t address) const;
  const std::map<std::uint64_t, Allocation>& allocations() const { return allocations_; }

  std::uint8_t* state(std::uint64_t address) const { return states_ + (address - base_); }
  GlobalTags* tags(std::uint64_t address) const { return tags_ + (address - base_) / 4; }
  /// Beside the last reader of the word at `address`, one more that was not ordered with it; 0 where there is none.
  std::uint64_t displaced_read(std::uint64_t address) const {
    return any_displaced_.load(std::memory_order_relaxed)
               ? __atomic_load_n(displaced_ + (address - base_) / 4, __ATOMIC_RELAXED)
               : 0;
  }
  bool any_displaced_read() const { return any_displaced_.load(std::memory_order_relaxed); }
  void set_displaced_read(std::uint64_t address, std::uint64_t tag) {
    any_displaced_.store(true, std::memory_order_relaxed);
    __atomic_store_n(displaced_ + (address - base_) / 4, tag, __ATOMIC_RELAXED);
  }
  /// Forgets every recorded access.
  void clear_tags();

 private:
  void clear_displaced();

  std::uint64_t base_ = 0;
  std::uint64_t capacity_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t in_use_ = 0;
  std::uint64_t serial_ = 0;
  std::uint8_t* states_ = nullptr;
  GlobalTags* tags_ = nullptr;
  std::uint64_t* displaced_ = nullptr;
  std::atomic<bool> any_displaced_{false};
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Allocation> allocations_;
};

}  // namespace vgpu
