// What a pickle builds: plain data in a heap of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "element_type.h"
#include "maskrt/types.hpp"

namespace maskrt::weights::pickle {

using SharedBytes = std::shared_ptr<const std::vector<std::byte>>;

struct None {};

/// Text in UTF-8.
struct Text {
  std::string_view characters;
};

/// A Python 2 `str`: Latin-1 text or plain bytes, nobody can tell which.
struct ByteText {
  std::string_view characters;
};

/// An integer of more than 64 bits, two's complement.
struct BigInteger {
  std::span<const std::byte> little_endian;
};

/// Stands where an object would be that nobody builds: of a class that is no plain data (a scheduler, a Namespace), or
/// whose contents nothing reads (a device, a complex number). What a pickle calls on it, sets in it or adds to it is
/// dropped, so it holds nothing but a name.
struct Opaque {
  std::string_view type_name;  ///< "argparse.Namespace"
};

struct Blob;
struct List;
struct Tuple;
struct Dict;
struct Set;
struct Global;
struct Storage;
struct Tensor;
struct NumpyType;

/// A value on the unpickler's stack. Scalars and texts are held in place, texts as views of the pickle's bytes; the
/// rest lives in the Heap, so that values are cheap to copy, may refer to each other in circles, and die all at once.
using Value = std::variant<None, bool, std::int64_t, double, Text, ByteText, BigInteger, Opaque, Blob*, List*, Tuple*,
                           Dict*, Set*, const Global*, Storage*, Tensor*, NumpyType*>;

/// `bytes` or `bytearray`.
struct Blob {
  std::span<const std::byte> bytes;  ///< in the pickle, or in `owned`
  SharedBytes owned;
};

struct List {
  std::vector<Value> items;
};

struct Tuple {
  std::vector<Value> items;
};

/// In order of insertion. A key may stand twice; the later one counts.
struct Dict {
  std::vector<std::pair<Value, Value>> items;
  bool has_attributes = false;  ///< OrderedDict and its like: BUILD may set attributes, which are dropped
};

struct Set {
  std::vector<Value> items;
};

/// A PyTorch storage as its persistent id describes it. A view is the part of the storage that a tensor may use.
struct Storage {
  std::string_view key;
  const ElementType* type = nullptr;
  std::int64_t elements = 0;
  std::int64_t view_offset = 0;    ///< in elements
  std::int64_t view_elements = 0;  ///< equal to `elements` where there is no view
  Blob* contents = nullptr;        ///< its bytes, where they stand in the pickle itself
};

/// A PyTorch tensor, or a numpy array. Not yet compared with the size of its data.
struct Tensor {
  const ElementType* type = &element::other;
  Shape shape;
  std::vector<std::int64_t> strides;  ///< in elements; empty for numpy arrays, which are dense
  std::int64_t offset = 0;            ///< in elements
  bool column_major = false;          ///< numpy's "Fortran order"
  bool big_endian = false;
  bool is_numpy = false;
  std::string_view lazy_flag;  ///< "conj" or "neg" for a view that means another number than it stores
  Storage* storage = nullptr;  ///< PyTorch's
  Blob* blob = nullptr;        ///< numpy's
};

/// numpy.dtype
struct NumpyType {
  const ElementType* type = &element::other;
  bool big_endian = false;
};

/// A pickle that would take more memory than its file justifies.
class BudgetError : public Error {
 public:
  using Error::Error;
};

/// Owns everything that a pickle builds, and counts it: a pickle that would take more than its budget is refused.
class Heap {
 public:
  explicit Heap(std::size_t budget) : budget_(budget), left_(budget) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  /// Takes bytes off the budget before they are allocated. Throws Error when it is used up.
  void charge(std::size_t bytes);

  template <typename Node>
  Node* make(Node node) {
    charge(sizeof(Node) + 2 * sizeof(Value));
    return &std::get<std::deque<Node>>(nodes_).emplace_back(std::move(node));
  }

  /// A copy of text that stays as long as the heap does.
  std::string_view keep(std::string text);

  /// The bytes of a blob as a block that may outlive the heap; copied on the first call only.
  SharedBytes own(Blob& blob);

 private:
  std::size_t budget_, left_;
  std::tuple<std::deque<Blob>, std::deque<List>, std::deque<Tuple>, std::deque<Dict>, std::deque<Set>,
             std::deque<Storage>, std::deque<Tensor>, std::deque<NumpyType>>
      nodes_;
  std::deque<std::string> texts_;
};

/// "dict", "list", ... for messages.
std::string_view type_name(const Value& value);

/// The value as a certain type, or null.
template <typename T>
T* as(const Value& value) {
  const auto* pointer = std::get_if<T*>(&value);
  return pointer != nullptr ? *pointer : nullptr;
}

/// The elements of a tuple or a list; null for anything else.
const std::vector<Value>* sequence(const Value& value);

/// An integer argument. Throws Error that says `what` was expected and what was found.
std::int64_t integer(const Value& value, std::string_view what);

/// A sequence of at most 64 integers, as shapes and strides are. Throws Error.
std::vector<std::int64_t> integers(const Value& value, std::string_view what);

/// Text of either kind, as it stands in the pickle (ASCII in every place this is used for). Throws Error.
std::string_view text(const Value& value, std::string_view what);

}  // namespace maskrt::weights::pickle
