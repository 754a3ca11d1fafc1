// An interpreter of Python's pickles that can only build data.
#pragma once

#include <functional>
#include <span>

#include "globals.h"
#include "pickle_value.h"

namespace maskrt::weights::pickle {

/// What a persistent id (PyTorch's way to point at a storage) stands for.
using PersistentLoad = std::function<Value(Heap& heap, const Value& id)>;

struct Unpickled {
  Value value;
  std::size_t size = 0;  ///< bytes of the pickle, its STOP included
};

/// Runs the pickle (protocols 0 to 5) at the front of `bytes`. Python names are looked up in a fixed list (globals.h)
/// whose members build data; every other name, and whatever is made with it, is an Opaque value: nothing is ever
/// called. Time is linear in the pickle's size, memory is taken from the heap's budget, and nothing recurses, so that
/// neither nesting nor circles matter. The result points into `bytes` and into `heap`. `load_storage` reads what
/// torch.storage._load_from_bytes is given; without one that name is opaque like others. Throws Error with the byte's
/// position.
Unpickled unpickle(std::span<const std::byte> bytes, Heap& heap, const PersistentLoad& persistent_load,
                   LoadStorage load_storage = nullptr);

}  // namespace maskrt::weights::pickle
