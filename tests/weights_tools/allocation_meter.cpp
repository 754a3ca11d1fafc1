#include "allocation_meter.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

std::size_t held = 0, most_held = 0;

}  // namespace

// The other forms of operator new and delete come down to these.
void* operator new(std::size_t size) {
  void* memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  held += malloc_usable_size(memory);
  most_held = std::max(most_held, held);
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) held -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace maskrt::testing {

AllocationMeter::AllocationMeter() : start_(held) { most_held = held; }

std::size_t AllocationMeter::peak() const { return most_held - start_; }

}  // namespace maskrt::testing
