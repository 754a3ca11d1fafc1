// The GPUs that this process has opened.
#pragma once

#include "runtime/device.h"

namespace maskrt::cuda {

/// The N-th GPU as the driver counts them; the same object for the life of the process. Thread-safe. Throws Error where
/// there is no driver, no such GPU, or one that is too old; the next call tries again.
Device& open_cuda_device(int ordinal);

}  // namespace maskrt::cuda
