#include "aligned_bytes.h"

#include <sys/mman.h>

#include <string>

#include "maskrt/types.hpp"

namespace maskrt::cpu {
namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;

std::size_t mapped(std::size_t bytes) {
  constexpr std::size_t page = 4096;
  return bytes == 0 ? page : (bytes + page - 1) / page * page;
}

}  // namespace

std::byte* map_pages(std::size_t bytes) {
  const std::size_t size = mapped(bytes);
  if (size < bytes || size > static_cast<std::size_t>(PTRDIFF_MAX) - kLargePage)
    throw Error("cpu: expected a size that memory can have, found " + std::to_string(bytes) + " bytes");
  // Large pages start at multiples of their size: what is mapped beside such a start goes back at once.
  const std::size_t room = size >= kLargePage ? size + kLargePage : size;
  void* memory = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Error("cpu: expected " + std::to_string(bytes) + " bytes of memory, found that there is not so much");
  auto* start = static_cast<std::byte*>(memory);
  if (room == size) return start;
  const std::size_t before = (kLargePage - reinterpret_cast<std::uintptr_t>(start) % kLargePage) % kLargePage;
  if (before != 0) munmap(start, before);
  if (before != kLargePage) munmap(start + before + size, kLargePage - before);
#if defined(MADV_HUGEPAGE)
  madvise(start + before, size, MADV_HUGEPAGE);  // a wish; small pages do as well
#endif
  return start + before;
}

void unmap_pages(std::byte* memory, std::size_t bytes) noexcept { munmap(memory, mapped(bytes)); }

AlignedBytes allocate_aligned(std::size_t bytes) {
  return AlignedBytes(map_pages(bytes), [bytes](std::byte* memory) { unmap_pages(memory, bytes); });
}

}  // namespace maskrt::cpu
