#include <algorithm>
#include <string>

#include "containers.h"
#include "state_dict.h"
#include "torch_storage.h"
#include "unpickler.h"
#include "zip_archive.h"

namespace maskrt::weights {
namespace {

// The one folder that everything in the archive lies in, by its data.pkl.
std::string find_folder(const ZipArchive& archive) {
  std::string folder;
  for (const auto& [name, entry] : archive.entries()) {
    const auto slash = name.rfind('/');
    if (slash == std::string::npos || name.substr(slash + 1) != "data.pkl") continue;
    if (!folder.empty()) {
      throw Error("expected one data.pkl in the zip archive, found \"" + folder + "data.pkl\" and \"" + name + "\"");
    }
    folder = name.substr(0, slash + 1);
  }
  if (folder.empty()) {
    throw Error("expected a PyTorch checkpoint with a data.pkl in its folder, found a zip archive without one");
  }
  for (const auto& [name, entry] : archive.entries()) {
    if (!name.starts_with(folder)) {
      throw Error("zip entry \"" + name + "\": expected a name inside the archive's folder \"" + folder +
                  "\", found one outside it");
    }
  }
  return folder;
}

}  // namespace

pickle::Storage* load_zipped_storage(pickle::Heap& heap, pickle::Blob& file) {
  const ZipArchive archive(file.bytes);
  const std::string folder = find_folder(archive);
  const auto take = [&](const std::string& name) {
    auto bytes = std::make_shared<const std::vector<std::byte>>(archive.read(folder + name));
    heap.charge(bytes->size());
    return heap.make(pickle::Blob{*bytes, bytes});
  };
  const auto root = pickle::unpickle(take("data.pkl")->bytes, heap, value_of_persistent_id).value;
  auto* storage = pickle::as<pickle::Storage>(root);
  if (storage == nullptr)
    throw Error("expected a storage that torch.save wrote, found a value of type " +
                std::string(pickle::type_name(root)));
  storage->contents = take("data/" + std::string(storage->key));
  return storage;
}

Checkpoint read_torch_zip(std::span<const std::byte> file) {
  const ZipArchive archive(file);
  const std::string folder = find_folder(archive);
  const auto is_code = [&](const auto& entry) { return entry.first.starts_with(folder + "code/"); };
  if (archive.entries().contains(folder + "constants.pkl") ||
      std::any_of(archive.entries().begin(), archive.entries().end(), is_code)) {
    throw Error(
        "expected a checkpoint of torch.save, found a TorchScript program of torch.jit.save; load it in Python and "
        "torch.save its state_dict()");
  }
  if (archive.entries().contains(folder + "byteorder")) {
    const auto order = archive.read(folder + "byteorder");
    const std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
    if (text != "little") {
      throw Error("zip entry \"" + folder + "byteorder\": expected \"little\", found \"" +
                  std::string(text.substr(0, 32)) + "\"; save the checkpoint on a little-endian machine");
    }
  }

  const auto pickle_bytes = archive.read(folder + "data.pkl");
  pickle::Heap heap(pickle_budget(file.size()));
  const auto root = [&] {
    try {
      return pickle::unpickle(pickle_bytes, heap, value_of_persistent_id, load_storage).value;
    } catch (const Error& error) {
      throw Error("zip entry \"" + folder + "data.pkl\": " + error.what());
    }
  }();

  std::map<std::string_view, pickle::SharedBytes> storages;
  const auto load = [&](const pickle::Storage& storage) {
    auto& block = storages[storage.key];
    if (block == nullptr) {
      block = std::make_shared<const std::vector<std::byte>>(archive.read(folder + "data/" + std::string(storage.key)));
    }
    return block;
  };
  return checkpoint_from(root, heap, Container::pytorch_zip, file.size(), load);
}

}  // namespace maskrt::weights
