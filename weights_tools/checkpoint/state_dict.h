// From whatever a training script saved to named tensors.
#pragma once

#include <functional>

#include "checkpoint.h"
#include "pickle_value.h"

namespace maskrt::weights {

/// The bytes of a storage: `elements` of its type, the same block for the same storage. Throws Error.
using StorageLoader = std::function<pickle::SharedBytes(const pickle::Storage&)>;

/// Finds the state dict in {"model": ...}, {"state_dict": ...} and their like, or a bare dict, and checks every
/// floating-point tensor against its storage: sizes, strides, offsets, overflow, and that its dense size is within
/// reason for a file of `file_size` bytes. Only storages of such tensors are loaded. Throws Error that names the
/// tensor.
Checkpoint checkpoint_from(const pickle::Value& root, pickle::Heap& heap, Container container, std::size_t file_size,
                           const StorageLoader& load);

}  // namespace maskrt::weights
