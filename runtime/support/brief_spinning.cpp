#include "brief_spinning.h"

#include <cstdlib>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace maskrt {
namespace {

constexpr const char* kVariable = "GOMP_SPINCOUNT";

bool has_one_thread() {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded != 0;
#else
  return false;  // nobody knows
#endif
}

}  // namespace

BriefSpinning::BriefSpinning() {
  if (!has_one_thread() || std::getenv(kVariable) != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  set_ = ::setenv(kVariable, "2000", 0) == 0;
}

BriefSpinning::~BriefSpinning() {
  // A device that started threads as it was loaded leaves the variable behind: that much is safe.
  if (set_ && has_one_thread()) ::unsetenv(kVariable);
}

}  // namespace maskrt
