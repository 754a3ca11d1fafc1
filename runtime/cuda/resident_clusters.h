// How many clusters a device holds at a time.
#pragma once

#include "context.h"

namespace maskrt::cuda {

/// Chip::resident_clusters, as the driver tells for a kernel whose blocks take a multiprocessor each; zeros where the
/// chip has no clusters or the driver cannot tell. The context is current. Throws DriverError where the driver has
/// failed.
decltype(kernels::Chip::resident_clusters) resident_clusters(const Driver& driver, const kernels::Chip& chip);

}  // namespace maskrt::cuda
