// Settings from the environment, so that whatever runs on the virtual GPU needs to know nothing of it.
#pragma once

#include "machine/cta.h"

namespace vgpu {

/// `base` with what these variables say: VGPU_CC (7.5, 8.0, 8.6, 8.9, 9.0), VGPU_SMS, VGPU_MEMORY (bytes, or with K, M,
/// G), VGPU_SEED, VGPU_CHECKS (0: no race checks), VGPU_SAMPLE_BLOCKS, VGPU_THREADS. Throws Error that names the
/// variable.
Settings settings_from_environment(Settings base = {});

}  // namespace vgpu
