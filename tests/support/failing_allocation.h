// Memory that runs out on order, for the whole process: this program's malloc and mmap stand before the C library's, so
// that allocations deep in oneDNN and the standard library fail, too.
#pragma once

namespace maskrt::testing {

/// Which allocations fail: one, or that one and all that come after it.
enum class Shortage { once, from_then_on };

/// From here on the n-th allocation (from 1) of the process fails, on whatever thread; 0: none does.
void fail_allocation(long n, Shortage shortage = Shortage::once);

/// True where the allocation that was asked for last has come and failed.
bool allocation_failed();

}  // namespace maskrt::testing
