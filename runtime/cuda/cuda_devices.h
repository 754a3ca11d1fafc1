// The GPUs that this process has opened.
#pragma once

#include "runtime/device.h"

namespace maskrt::cuda {

/// The N-th GPU as the driver counts them; the same object for all who hold it at a time. Thread-safe. Throws Error
/// where there is no driver, no such GPU, one that is too old, or one that has failed and is still held; the next call
/// tries again. Nobody resets the primary context, which others may use: letting go of it makes a new one where maskrt
/// was its only user.
std::shared_ptr<Device> open_cuda_device(int ordinal);

}  // namespace maskrt::cuda
