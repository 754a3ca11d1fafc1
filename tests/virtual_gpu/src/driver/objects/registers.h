// How many registers a kernel would take, guessed from its PTX.
#pragma once

#include <cstdint>

#include "ptx/ast.h"

namespace vgpu::driver {

/// The most 32-bit registers that are live at one place of the function (64-bit values count twice; predicates,
/// constants and shifted addresses not at all), plus what the code generator takes for itself. ptxas renames, schedules
/// and unrolls: for kernels of 40 registers and more this is 0.77 to 1.74 times what it takes.
std::uint32_t estimated_registers(const ptx::Function& function);

}  // namespace vgpu::driver
