// PyTorch's persistent ids: the strings and numbers by which a pickle points at a storage.
#pragma once

#include "pickle_value.h"

namespace maskrt::weights {

/// ("storage", type, key, location, elements), with a sixth item in legacy files: None or (view key, offset, elements);
/// or, in legacy files, ("module", class, file, source), which is the class.
/// The result is in `heap`; its numbers are not negative and the view lies inside the storage. A class of storages that
/// is not known has elements of another type. Throws Error.
pickle::Value value_of_persistent_id(pickle::Heap& heap, const pickle::Value& id);

/// How much memory unpickling may take for a file of `file_size` bytes.
constexpr std::size_t pickle_budget(std::size_t file_size) { return 4 * file_size + (std::size_t{64} << 20); }

}  // namespace maskrt::weights
