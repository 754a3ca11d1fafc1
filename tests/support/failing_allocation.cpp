#include "failing_allocation.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

// glibc's own, which its malloc is an alias of.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

std::atomic<bool> counting{false}, failed{false}, lasting{false};
std::atomic<long> left{0};

/// Code whose failed allocations nobody can catch: GNU's OpenMP runtime and the dynamic linker end the process.
struct Range {
  std::uintptr_t begin, end;
};
constexpr std::size_t kMostRanges = 16;
Range uncatchable[kMostRanges];
std::size_t ranges = 0;

int note_library(dl_phdr_info* info, std::size_t, void*) {
  if (std::strstr(info->dlpi_name, "libgomp") == nullptr && std::strstr(info->dlpi_name, "ld-linux") == nullptr)
    return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0 && ranges < kMostRanges)
      uncatchable[ranges++] = {info->dlpi_addr + part.p_vaddr, info->dlpi_addr + part.p_vaddr + part.p_memsz};
  }
  return 0;
}

bool fails(const void* caller) {
  if (!counting.load(std::memory_order_relaxed)) return false;
  const auto at = reinterpret_cast<std::uintptr_t>(caller);
  for (std::size_t i = 0; i < ranges; ++i)
    if (at >= uncatchable[i].begin && at < uncatchable[i].end) return false;
  if (const long before = left.fetch_sub(1); before > 1 || (before < 1 && !lasting)) return false;
  failed = true;
  errno = ENOMEM;
  return true;
}

}  // namespace

namespace maskrt::testing {

void fail_allocation(long n, Shortage shortage) {
  counting = false;
  if (n == 0) return;
  ranges = 0;
  dl_iterate_phdr(note_library, nullptr);
  failed = false;
  lasting = shortage == Shortage::from_then_on;
  left = n;
  counting = true;
}

bool allocation_failed() { return failed; }

}  // namespace maskrt::testing

// What every library of the process finds first.
extern "C" {

void* malloc(std::size_t size) { return fails(__builtin_return_address(0)) ? nullptr : __libc_malloc(size); }

void* calloc(std::size_t count, std::size_t size) {
  return fails(__builtin_return_address(0)) ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) {
  return fails(__builtin_return_address(0)) ? nullptr : __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return fails(__builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails(__builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  void* const found = fails(__builtin_return_address(0)) ? nullptr : __libc_memalign(alignment, size);
  if (found == nullptr) return ENOMEM;
  *memory = found;
  return 0;
}

void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  if (fails(__builtin_return_address(0))) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, file, offset));
}
}
