// Vectors of the compiler's: what one processor instruction, or a few of a smaller processor, compute at a time.
#pragma once

namespace maskrt::kernels {

/// `Lanes` floats that may lie anywhere in memory. Functions that are not inlined take and return none: how they do
/// depends on the processor that they are compiled for.
template <int Lanes>
using Vector [[gnu::vector_size(Lanes * sizeof(float)), gnu::aligned(4), gnu::may_alias]] = float;

}  // namespace maskrt::kernels
