// How many registers a kernel would take, guessed from its PTX.
#pragma once

#include <cstdint>

#include "ptx/ast.h"

namespace vgpu::driver {

/// The most 32-bit registers that are live at one place of the function (64-bit values count twice, predicates not at
/// all), found by live-range analysis, plus what the code generator takes for itself. What ptxas makes of it is
/// different: it renames, schedules and unrolls. tests/virtual_gpu/test_driver_module.cpp compares the two.
std::uint32_t estimated_registers(const ptx::Function& function);

}  // namespace vgpu::driver
