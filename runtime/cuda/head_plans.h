// What heads' launches on a GPU are planned from.
#pragma once

#include "kernels/heads/fast_inst/fast_inst_cuda.h"
#include "kernels/heads/sparse_inst/sparse_inst_cuda.h"
#include "runtime/device.h"

namespace maskrt::cuda {

/// A head's plan for a program bound to memory.
kernels::SparseInstPlan plan_of(const graph::SparseInstHead& head, const Program& program, const Addresses& addresses);
/// `things`: one byte a class in device memory, 1 for things; null where all classes are.
kernels::FastInstPlan plan_of(const graph::FastInstHead& head, const Program& program, const Addresses& addresses,
                              const std::byte* things);

}  // namespace maskrt::cuda
