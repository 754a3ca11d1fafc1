#include <algorithm>
#include <array>
#include <string>

#include "containers.h"
#include "pickle_reader.h"
#include "state_dict.h"
#include "torch_storage.h"
#include "unpickler.h"

namespace maskrt::weights {
namespace {

using pickle::Dict;
using pickle::Heap;
using pickle::Value;

constexpr std::int64_t kProtocolVersion = 1001;

// 0x1950a86a20f9469cfc6c, the object that legacy files start with.
bool is_magic(const Value& value) {
  constexpr std::array<std::uint8_t, 10> kMagic{0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
  const auto* number = std::get_if<pickle::BigInteger>(&value);
  return number != nullptr && std::equal(number->little_endian.begin(), number->little_endian.end(), kMagic.begin(),
                                         kMagic.end(), [](std::byte a, std::uint8_t b) { return a == std::byte{b}; });
}

Value refuse_persistent_id(Heap&, const Value&) { throw Error("refused a persistent id outside a PyTorch file"); }

// The pickles of a legacy file, one after the other.
class PickleRow {
 public:
  PickleRow(std::span<const std::byte> bytes, Heap& heap, pickle::LoadStorage load_storage)
      : reader_(bytes), bytes_(bytes), heap_(heap), load_storage_(load_storage) {}

  Value next(std::string_view what, const pickle::PersistentLoad& load = refuse_persistent_id) {
    try {
      const auto [value, size] = pickle::unpickle(bytes_.subspan(reader_.position()), heap_, load, load_storage_);
      reader_.take(size);
      return value;
    } catch (const Error& error) {
      throw Error(std::string(what) + " at byte " + std::to_string(reader_.position()) + ": " + error.what());
    }
  }

  pickle::Reader& reader() { return reader_; }

 private:
  pickle::Reader reader_;
  std::span<const std::byte> bytes_;
  Heap& heap_;
  pickle::LoadStorage load_storage_;
};

void check_header(PickleRow& pickles) {
  const auto protocol = pickles.next("the protocol's version");
  if (const auto* version = std::get_if<std::int64_t>(&protocol); version == nullptr || *version != kProtocolVersion) {
    throw Error("expected version 1001 of PyTorch's legacy format, found another one");
  }
  const auto system = pickles.next("the system's description");
  const auto* items = pickle::as<Dict>(system);
  if (items == nullptr) {
    throw Error("expected a dict that describes the system, found a value of type " +
                std::string(pickle::type_name(system)));
  }
  for (const auto& [key, value] : items->items) {
    const auto* little = std::get_if<bool>(&value);
    if (little != nullptr && !*little && pickle::text(key, "a key") == "little_endian") {
      throw Error("expected a checkpoint of a little-endian machine, found a big-endian one");
    }
  }
}

using StorageBytes = std::map<std::string_view, std::span<const std::byte>>;

// The storages' bytes in the file, in the order of the keys' list.
StorageBytes locate_storages(PickleRow& pickles, const std::map<std::string_view, const ElementType*>& types) {
  const auto keys = pickles.next("the list of the storages' keys");
  const auto* items = pickle::sequence(keys);
  if (items == nullptr) {
    throw Error("expected a list of the storages' keys, found a value of type " + std::string(pickle::type_name(keys)));
  }
  StorageBytes storages;
  for (const auto& item : *items) {
    const auto key = pickle::text(item, "a storage's key");
    const auto type = types.find(key);
    if (type == types.end()) {
      throw Error("expected keys of storages that the pickle names, found \"" + std::string(key.substr(0, 64)) + "\"");
    }
    const std::string where = "storage \"" + std::string(key) + "\": ";
    try {
      const auto count = pickles.reader().number<std::int64_t>();
      const auto size = type->second->size;
      if (size == 0) throw Error("expected elements of a known type, found another one");
      if (count < 0 || static_cast<std::uint64_t>(count) > pickles.reader().left() / size) {
        throw Error("expected elements that the file's last " + std::to_string(pickles.reader().left()) +
                    " bytes can hold, found " + std::to_string(count) + " of " + std::string(type->second->name));
      }
      const auto bytes = pickles.reader().take(static_cast<std::uint64_t>(count) * size);
      if (!storages.try_emplace(key, bytes).second) throw Error("expected every key once, found it twice");
    } catch (const Error& error) {
      throw Error(where + error.what());
    }
  }
  return storages;
}

// What stands behind the magic number.
struct LegacyFile {
  Value root;
  StorageBytes storages;
};

LegacyFile read_legacy(PickleRow& pickles) {
  check_header(pickles);
  std::map<std::string_view, const ElementType*> types;
  const auto root = pickles.next("the checkpoint's pickle", [&](Heap& target, const Value& id) -> Value {
    const Value value = value_of_persistent_id(target, id);
    const auto* storage = pickle::as<pickle::Storage>(value);
    if (storage == nullptr) return value;
    const auto [entry, is_new] = types.try_emplace(storage->key, storage->type);
    if (!is_new && entry->second != storage->type) {
      throw Error("storage \"" + std::string(storage->key) + "\": expected one type, found " +
                  std::string(entry->second->name) + " and " + std::string(storage->type->name));
    }
    return value;
  });
  return {root, locate_storages(pickles, types)};
}

Checkpoint read_torch_legacy(std::size_t file_size, PickleRow& pickles, Heap& heap) {
  const auto [root, located] = read_legacy(pickles);
  std::map<std::string_view, pickle::SharedBytes> storages;
  const auto load = [&storages, &located = located](const pickle::Storage& storage) {
    auto& block = storages[storage.key];
    if (block == nullptr) {
      const auto found = located.find(storage.key);
      if (found == located.end()) {
        throw Error("storage \"" + std::string(storage.key) + "\": expected its bytes in the file, found none");
      }
      block = std::make_shared<const std::vector<std::byte>>(found->second.begin(), found->second.end());
    }
    return block;
  };
  return checkpoint_from(root, heap, Container::pytorch_legacy, file_size, load);
}

}  // namespace

pickle::Storage* load_storage(Heap& heap, pickle::Blob& file) {
  if (file.bytes.size() >= 2 && file.bytes[0] == std::byte{'P'} && file.bytes[1] == std::byte{'K'})
    return load_zipped_storage(heap, file);
  PickleRow pickles(file.bytes, heap, nullptr);  // such files do not nest
  if (!is_magic(pickles.next("the storage's file")))
    throw Error("expected a storage that torch.save wrote, found another pickle");
  const auto [root, located] = read_legacy(pickles);
  auto* storage = pickle::as<pickle::Storage>(root);
  if (storage == nullptr || !located.contains(storage->key))
    throw Error("expected a storage that torch.save wrote, found a value of type " +
                std::string(pickle::type_name(root)));
  storage->contents = heap.make(pickle::Blob{located.at(storage->key), {}});
  return storage;
}

Checkpoint read_pickle(std::span<const std::byte> file) {
  Heap heap(pickle_budget(file.size()));
  PickleRow pickles(file, heap, load_storage);
  const auto first = pickles.next("the pickle");
  if (is_magic(first)) return read_torch_legacy(file.size(), pickles, heap);
  const auto refuse_storage = [](const pickle::Storage&) -> pickle::SharedBytes {
    throw Error("expected an array with its numbers, found a PyTorch tensor without its storage");
  };
  return checkpoint_from(first, heap, Container::plain_pickle, file.size(), refuse_storage);
}

}  // namespace maskrt::weights
