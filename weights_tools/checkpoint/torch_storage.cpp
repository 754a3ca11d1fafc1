#include "torch_storage.h"

#include "globals.h"

namespace maskrt::weights {
namespace {

constexpr std::size_t kMaxKey = 64;  // keys are decimal numbers; a bound keeps lookups cheap

}  // namespace

pickle::Value value_of_persistent_id(pickle::Heap& heap, const pickle::Value& id) {
  const auto* items = pickle::sequence(id);
  const auto kind_is = [&](std::string_view kind) {
    const auto* text = std::get_if<pickle::Text>(&items->front());
    const auto* bytes = std::get_if<pickle::ByteText>(&items->front());
    return (text != nullptr && text->characters == kind) || (bytes != nullptr && bytes->characters == kind);
  };
  if (items != nullptr && items->size() == 4 && kind_is("module")) return (*items)[1];
  if (items == nullptr || items->size() < 5 || items->size() > 6) {
    throw Error("expected a storage's five or six numbers and names as a persistent id, found " +
                (items != nullptr ? std::to_string(items->size()) : std::string(pickle::type_name(id))));
  }
  if (const auto kind = pickle::text((*items)[0], "\"storage\""); kind != "storage") {
    throw Error("expected the persistent id of a storage, found one of a \"" + std::string(kind.substr(0, 32)) + "\"");
  }
  const auto* type = std::get_if<const pickle::Global*>(&(*items)[1]);
  const bool is_known = type != nullptr && (*type)->element != nullptr;
  if (!is_known && !std::holds_alternative<pickle::Opaque>((*items)[1])) {
    throw Error("expected the class of a storage, found a value of type " +
                std::string(pickle::type_name((*items)[1])));
  }
  pickle::Storage storage;
  storage.type = is_known ? (*type)->element : &element::other;  // of a newer PyTorch, say
  storage.key = pickle::text((*items)[2], "a storage's key");
  if (storage.key.empty() || storage.key.size() > kMaxKey) {
    throw Error("expected a storage's key of 1 to " + std::to_string(kMaxKey) + " characters, found one of " +
                std::to_string(storage.key.size()));
  }
  storage.elements = storage.view_elements = pickle::integer((*items)[4], "a storage's number of elements");
  if (items->size() == 6 && !std::holds_alternative<pickle::None>((*items)[5])) {
    const auto* view = pickle::sequence((*items)[5]);
    if (view == nullptr || view->size() != 3) throw Error("expected a view's key, offset and number of elements");
    storage.view_offset = pickle::integer((*view)[1], "a view's offset");
    storage.view_elements = pickle::integer((*view)[2], "a view's number of elements");
  }
  if (storage.elements < 0 || storage.view_offset < 0 || storage.view_elements < 0 ||
      storage.view_offset > storage.elements || storage.view_elements > storage.elements - storage.view_offset) {
    throw Error("storage \"" + std::string(storage.key) + "\": expected a view inside its " +
                std::to_string(storage.elements) + " elements, found offset " + std::to_string(storage.view_offset) +
                " and " + std::to_string(storage.view_elements) + " elements");
  }
  return heap.make(storage);
}

}  // namespace maskrt::weights
