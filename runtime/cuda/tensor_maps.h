// Tensors in the words of the tensor memory accelerator.
#pragma once

#include "context.h"

namespace maskrt::cuda {

/// Throws Error where the chip has no such unit (before 9.0) or the driver refuses the map; the map is then spelled
/// out.
kernels::TensorMap encode_tensor_map(const Context& context, const kernels::TiledMap& map);
kernels::TensorMap encode_tensor_map(const Context& context, const kernels::Im2colMap& map);

}  // namespace maskrt::cuda
