// CUDA_MEMCPY2D and CUDA_MEMCPY3D as rows of memory.
#pragma once

#include <cuda.h>

#include <vector>

#include "driver/objects/copies.h"

namespace vgpu::driver {

/// One slice of a copy.
struct CopySlice {
  CopySide destination, source;
  CopyShape shape;
};

/// Throws Status: CUDA_ERROR_INVALID_VALUE for null addresses, pitches smaller than a row or (with `limit_pitch`)
/// larger than the device's greatest, unknown types of memory; CUDA_ERROR_INVALID_HANDLE for arrays, which there are
/// none of.
CopySlice slice_of(const CUDA_MEMCPY2D& copy, bool limit_pitch);
/// One slice where the rows of all of them are evenly spaced, else one for each; none where the copy is empty.
std::vector<CopySlice> slices_of(const CUDA_MEMCPY3D& copy);

}  // namespace vgpu::driver
