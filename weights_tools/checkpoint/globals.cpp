#include "globals.h"

#include <string>

namespace maskrt::weights::pickle {

void Call::expect_arguments(std::size_t least, std::size_t most) const {
  if (arguments.size() < least || arguments.size() > most) {
    throw Error("expected " + std::to_string(least) + " to " + std::to_string(most) + " arguments for \"" +
                std::string(callee.name) + "\", found " + std::to_string(arguments.size()));
  }
}

void Call::fail(std::string_view what, const Value& found) const {
  throw Error("expected " + std::string(what) + " for \"" + std::string(callee.name) + "\", found a value of type " +
              std::string(type_name(found)));
}

const Global* find_global(std::string_view module, std::string_view name) {
  for (const auto list : {python_globals(), torch_globals(), numpy_globals()}) {
    for (const auto& global : list) {
      if (global.name.size() == module.size() + 1 + name.size() && global.name.starts_with(module) &&
          global.name[module.size()] == '.' && global.name.ends_with(name)) {
        return &global;
      }
    }
  }
  return nullptr;
}

void set_state(Heap& heap, const Value& target, const Value& state) {
  if (std::holds_alternative<Opaque>(target)) return;
  if (auto* dict = as<Dict>(target); dict != nullptr && dict->has_attributes) {
    // Attributes of the dict object, such as a state dict's _metadata with the modules' versions.
    if (as<Dict>(state) == nullptr) {
      throw Error("expected a dict of attributes, found a value of type " + std::string(type_name(state)));
    }
    return;
  }
  if (auto* tensor = as<Tensor>(target); tensor != nullptr && tensor->is_numpy) {
    return set_array_state(heap, *tensor, state);
  }
  if (auto* type = as<NumpyType>(target)) return set_numpy_type_state(*type, state);
  throw Error("refused to set the state of a value of type " + std::string(type_name(target)) + " (opcode BUILD)");
}

}  // namespace maskrt::weights::pickle
