#include "state_dict.h"

#include <algorithm>

#include "pickle_text.h"

namespace maskrt::weights {
namespace {

using pickle::Dict;
using pickle::Tensor;
using pickle::Value;

constexpr std::size_t kMaxName = 512;
constexpr int kMaxWrappers = 4;  // {"model": {"state_dict": ...}} and no deeper, for a dict may contain itself

// Expanded views (stride 0) can name far more elements than a file holds. Real checkpoints repeat a tensor a few times.
constexpr std::size_t kMaxDenseRatio = 4, kDenseSlack = std::size_t{1} << 20;
constexpr std::size_t kMaxTotalDenseRatio = 16, kTotalDenseSlack = std::size_t{16} << 20;

using Items = std::map<std::string, Value>;

// A dict's items by their names; later ones replace earlier ones, as in Python.
Items named_items(const Dict& dict) {
  Items items;
  for (const auto& [key, value] : dict.items) {
    std::string name;
    if (const auto* latin1 = std::get_if<pickle::ByteText>(&key)) {
      name = pickle::utf8_from_latin1(latin1->characters.substr(0, kMaxName + 1));
    } else if (const auto* utf8 = std::get_if<pickle::Text>(&key)) {
      name = utf8->characters.substr(0, kMaxName + 1);
    } else if (const auto* number = std::get_if<std::int64_t>(&key)) {
      name = std::to_string(*number);
    } else {
      name = "(" + std::string(pickle::type_name(key)) + ")";  // no name of a tensor; a script's own data has such keys
    }
    if (name.size() > kMaxName) {
      throw Error("expected names of at most " + std::to_string(kMaxName) + " bytes in a state dict, found \"" +
                  name.substr(0, 64) + "...\"");
    }
    items.insert_or_assign(std::move(name), value);
  }
  return items;
}

// "a tensor of int64", "a value of type argparse.Namespace"
std::string describe(const Value& value) {
  if (const auto* tensor = pickle::as<Tensor>(value)) return "a tensor of " + std::string(tensor->type->name);
  constexpr std::size_t kLongest = 80;
  return "a value of type " + std::string(pickle::type_name(value).substr(0, kLongest));
}

std::string first_names(const Items& items) {
  std::string text;
  int count = 0;
  for (const auto& [name, value] : items) {
    if (++count > 5) return text + ", ...";
    text += (count > 1 ? ", \"" : "\"") + name + "\" (" + describe(value) + ")";
  }
  return text.empty() ? "nothing" : text;
}

bool is_weight(const Value& value) {
  const auto* tensor = pickle::as<Tensor>(value);
  return tensor != nullptr && tensor->type->is_floating();
}

bool holds_weights(const Value& value) {
  const auto* dict = pickle::as<Dict>(value);
  return dict != nullptr &&
         std::any_of(dict->items.begin(), dict->items.end(), [](const auto& item) { return is_weight(item.second); });
}

// What training scripts call a state dict in what they save, the usual ones first.
constexpr const char* kWrappers[] = {"model", "state_dict", "model_state_dict", "model_state", "module",
                                     "net",   "network",    "weights",          "params"};

// The item of a dict that is a state dict or leads to one; end() for a dict that is one itself, or holds none.
Items::const_iterator find_wrapper(const Items& items) {
  // A config may stand under a usual name too: what holds weights comes first.
  for (const char* name : kWrappers)
    if (const auto item = items.find(name); item != items.end() && holds_weights(item->second)) return item;
  const auto named = [](const auto& item) { return is_weight(item.second); };
  if (std::any_of(items.begin(), items.end(), named)) return items.end();
  for (const char* name : kWrappers)
    if (const auto item = items.find(name); item != items.end() && pickle::as<Dict>(item->second)) return item;
  const auto holds = [](const auto& item) { return holds_weights(item.second); };
  const auto only = std::find_if(items.begin(), items.end(), holds);
  return only != items.end() && std::none_of(std::next(only), items.end(), holds) ? only : items.end();
}

// The innermost of {"model": {"state_dict": ...}}; names beside a wrapper go to `ignored`.
Items unwrapped(const Value& root, std::vector<std::string>& ignored) {
  const auto* dict = pickle::as<Dict>(root);
  if (dict == nullptr) {
    throw Error("expected a dict of tensors, found " + describe(root) +
                (std::holds_alternative<pickle::Opaque>(root) ? "; in Python, save its state_dict()" : ""));
  }
  for (int depth = 0; depth <= kMaxWrappers; ++depth) {
    auto items = named_items(*dict);
    const auto wrapper = find_wrapper(items);
    if (wrapper == items.end()) {
      if (const auto blobs = items.find("blobs"); blobs != items.end() && pickle::as<Dict>(blobs->second)) {
        throw Error("expected PyTorch's names under \"model\", found a Caffe2 model (\"blobs\")");
      }
      return items;
    }
    for (const auto& [name, value] : items) {
      if (name != wrapper->first) ignored.push_back(name);
    }
    dict = pickle::as<Dict>(wrapper->second);
  }
  throw Error("expected a state dict inside at most " + std::to_string(kMaxWrappers) +
              " dicts named \"model\" or \"state_dict\", found more");
}

// a * b for numbers that are not negative; throws where it leaves 64 bits.
std::int64_t product(std::int64_t a, std::int64_t b, const char* what) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result))
    throw Error(std::string("expected ") + what + " within 64 bits, found more");
  return result;
}

// How many elements of storage a tensor reaches over, offset included; 0 for an empty one.
std::int64_t reach(const Tensor& tensor) {
  std::int64_t last = tensor.offset;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] == 0) return 0;
    const auto step = product(tensor.shape[i] - 1, tensor.strides[i], "strides times extents");
    if (__builtin_add_overflow(last, step, &last)) {
      throw Error("expected an offset and strides within 64 bits, found more");
    }
  }
  if (__builtin_add_overflow(last, 1, &last)) throw Error("expected an offset within 64 bits, found more");
  return last;
}

std::string numbers(const std::vector<std::int64_t>& values) { return to_string(Shape(values)); }

// Row-major, or column-major, as numpy's arrays are.
std::vector<std::int64_t> packed_strides(const Tensor& array) {
  const std::size_t rank = array.shape.size();
  std::vector<std::int64_t> strides(rank);
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t axis = array.column_major ? i : rank - 1 - i;
    strides[axis] = stride;
    stride *= std::max<std::int64_t>(array.shape[axis], 1);
  }
  return strides;
}

// What holds for a shape on its own. Gives the tensor's dense size in bytes, as the graph reads it.
std::size_t check_shape(const Tensor& tensor, std::size_t file_size) {
  if (std::any_of(tensor.shape.begin(), tensor.shape.end(), [](auto extent) { return extent < 0; })) {
    throw Error("expected extents of at least 0, found shape " + numbers(tensor.shape));
  }
  // Empty axes count as 1 here: products of a shape must not overflow in any order.
  auto bytes = static_cast<std::int64_t>(size_of(*tensor.type->type));
  for (const auto extent : tensor.shape) bytes = product(bytes, std::max<std::int64_t>(extent, 1), "a tensor's size");
  if (elements(tensor.shape) == 0) bytes = 0;
  const auto dense = static_cast<std::size_t>(bytes);
  if (dense > kMaxDenseRatio * file_size + kDenseSlack) {
    throw Error("expected a tensor that a file of " + std::to_string(file_size) + " bytes can hold, found shape " +
                numbers(tensor.shape) + " of " + std::string(tensor.type->name));
  }
  return dense;
}

// A numpy array's bytes: dense, in one of two orders.
CheckpointTensor from_numpy(const Tensor& array, pickle::Heap& heap) {
  if (array.big_endian) throw Error("expected little-endian numbers, found big-endian ones");
  const auto size = static_cast<std::size_t>(elements(array.shape)) * array.type->size;
  if (array.blob->bytes.size() != size) {
    throw Error("expected " + std::to_string(size) + " bytes for shape " + numbers(array.shape) + " of " +
                std::string(array.type->name) + ", found " + std::to_string(array.blob->bytes.size()));
  }
  return {*array.type->type, array.shape, packed_strides(array), 0, heap.own(*array.blob), array.type->float8};
}

CheckpointTensor from_torch(const Tensor& tensor, pickle::Heap& heap, const StorageLoader& load) {
  if (!tensor.lazy_flag.empty()) {
    throw Error("expected a tensor that is stored as it is, found a lazy view: its " +
                std::string(tensor.lazy_flag.substr(0, 32)) + " flag is set");
  }
  const auto& storage = *tensor.storage;
  const std::string where = "storage \"" + std::string(storage.key) + "\": ";
  if (tensor.strides.size() != tensor.shape.size() || tensor.offset < 0 ||
      std::any_of(tensor.strides.begin(), tensor.strides.end(), [](auto stride) { return stride < 0; })) {
    throw Error("expected one stride of at least 0 for each extent and an offset of at least 0, found shape " +
                numbers(tensor.shape) + ", strides " + numbers(tensor.strides) + " and offset " +
                std::to_string(tensor.offset));
  }
  // Untyped storages count bytes, so the storage's elements need not be the tensor's.
  const auto storage_bytes =
      product(storage.elements, static_cast<std::int64_t>(storage.type->size), "a storage's size");
  const auto view_bytes = storage.view_elements * static_cast<std::int64_t>(storage.type->size);
  const auto room = view_bytes / static_cast<std::int64_t>(tensor.type->size);
  if (const auto needed = reach(tensor); needed > room) {
    throw Error(where + "expected at least " + std::to_string(needed) + " elements for shape " + numbers(tensor.shape) +
                ", strides " + numbers(tensor.strides) + " and offset " + std::to_string(tensor.offset) + ", found " +
                std::to_string(room));
  }
  const auto view_start = storage.view_offset * static_cast<std::int64_t>(storage.type->size);
  if (view_start % static_cast<std::int64_t>(tensor.type->size) != 0) {
    throw Error(where + "expected a view that starts at a whole element, found it at byte " +
                std::to_string(view_start));
  }
  auto block = storage.contents != nullptr ? heap.own(*storage.contents) : load(storage);
  if (block->size() != static_cast<std::size_t>(storage_bytes)) {
    throw Error(where + "expected " + std::to_string(storage_bytes) + " bytes, found " + std::to_string(block->size()));
  }
  const auto offset = view_start / static_cast<std::int64_t>(tensor.type->size) + tensor.offset;
  auto strides = tensor.strides;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    if (tensor.shape[i] <= 1) strides[i] = 0;  // never taken, may be any number
  }
  return {*tensor.type->type, tensor.shape, std::move(strides), offset, std::move(block), tensor.type->float8};
}

}  // namespace

Checkpoint checkpoint_from(const Value& root, pickle::Heap& heap, Container container, std::size_t file_size,
                           const StorageLoader& load) {
  Checkpoint checkpoint{container, {}, {}, {}};
  const auto items = unwrapped(root, checkpoint.ignored);
  std::size_t dense_left = kMaxTotalDenseRatio * file_size + kTotalDenseSlack;
  for (const auto& [name, value] : items) {
    if (!is_weight(value)) {
      checkpoint.ignored.push_back(name);
      checkpoint.other.emplace(name, describe(value));
      continue;
    }
    const auto* tensor = pickle::as<Tensor>(value);
    try {
      const auto dense_size = check_shape(*tensor, file_size);
      if (dense_size > dense_left) {
        throw Error("expected tensors that a file of " + std::to_string(file_size) +
                    " bytes can hold, found storages repeated too often");
      }
      dense_left -= dense_size;
      checkpoint.tensors.emplace(name, tensor->is_numpy ? from_numpy(*tensor, heap) : from_torch(*tensor, heap, load));
    } catch (const Error& error) {
      throw Error("tensor \"" + name + "\": " + error.what());
    }
  }
  if (checkpoint.tensors.empty()) {
    throw Error(
        "expected floating-point tensors in the state dict (bare, or under \"model\" or \"state_dict\"), found " +
        first_names(items));
  }
  return checkpoint;
}

}  // namespace maskrt::weights
