#include "heap.h"

#include <malloc.h>

namespace maskrt::cli {

void keep_freed_pages() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that there may be; a picture of 11 megapixels
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

}  // namespace maskrt::cli
