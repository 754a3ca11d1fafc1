// The Python names that stand for data in a checkpoint. All of them build data; there is no other way to add one.
#pragma once

#include <span>
#include <string_view>

#include "pickle_value.h"

namespace maskrt::weights::pickle {

/// The storage that torch.save wrote into `file`, bytes inside a pickle.
using LoadStorage = Storage* (*)(Heap& heap, Blob& file);

/// A call that a pickle asks for.
struct Call {
  Heap& heap;
  LoadStorage load_storage;  ///< null where such bytes are not expected
  const Global& callee;
  std::span<const Value> arguments;

  /// Throws Error unless there are `least` to `most` arguments.
  void expect_arguments(std::size_t least, std::size_t most) const;
  /// Throws the Error that `what` was expected as an argument and `found` is there.
  [[noreturn]] void fail(std::string_view what, const Value& found) const;
};

/// A Python name: what a call of it builds, or what it stands for.
struct Global {
  std::string_view name;                      ///< "torch._utils._rebuild_tensor_v2"
  Value (*construct)(const Call&) = nullptr;  ///< null for a name that is only passed along
  const ElementType* element = nullptr;       ///< of a storage class or a dtype
};

/// "torch._utils._rebuild_tensor_v2" and the like; null for a name that is not on the list.
const Global* find_global(std::string_view module, std::string_view name);

/// What opcode BUILD does: gives an object its state. An opaque one drops it. Throws Error for a target that takes
/// none.
void set_state(Heap& heap, const Value& target, const Value& state);

/// The lists, by who defines the names.
std::span<const Global> python_globals();
std::span<const Global> torch_globals();
std::span<const Global> numpy_globals();

/// numpy's part of set_state.
void set_array_state(Heap& heap, Tensor& array, const Value& state);
void set_numpy_type_state(NumpyType& type, const Value& state);

}  // namespace maskrt::weights::pickle
