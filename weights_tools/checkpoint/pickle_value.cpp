#include "pickle_value.h"

#include <algorithm>

namespace maskrt::weights::pickle {
namespace {

constexpr std::size_t kMaxRank = 64;  // PyTorch's own limit is 64, numpy's 32

// Indexed by Value's alternatives.
constexpr std::string_view kTypeNames[] = {
    "None",    "bool",   "int",        "float", "str",  "str", "int",
    "object",  "bytes",  "list",       "tuple", "dict", "set", "class or function",
    "storage", "tensor", "numpy.dtype"};
static_assert(std::size(kTypeNames) == std::variant_size_v<Value>);

[[noreturn]] void fail_expected(std::string_view what, const Value& value) {
  throw Error("expected " + std::string(what) + ", found a value of type " + std::string(type_name(value)));
}

}  // namespace

void Heap::charge(std::size_t bytes) {
  if (bytes > left_) {
    throw BudgetError("expected a pickle whose contents take at most " + std::to_string(budget_) +
                      " bytes of memory for a file of this size, found one that needs more");
  }
  left_ -= bytes;
}

std::string_view Heap::keep(std::string text) {
  charge(text.capacity() + sizeof(std::string));
  return texts_.emplace_back(std::move(text));
}

SharedBytes Heap::own(Blob& blob) {
  if (blob.owned == nullptr) {
    charge(blob.bytes.size());
    blob.owned = std::make_shared<const std::vector<std::byte>>(blob.bytes.begin(), blob.bytes.end());
    blob.bytes = *blob.owned;
  }
  return blob.owned;
}

std::string_view type_name(const Value& value) {
  if (const auto* opaque = std::get_if<Opaque>(&value)) return opaque->type_name;
  return kTypeNames[value.index()];
}

const std::vector<Value>* sequence(const Value& value) {
  if (const auto* tuple = as<Tuple>(value)) return &tuple->items;
  if (const auto* list = as<List>(value)) return &list->items;
  return nullptr;
}

std::int64_t integer(const Value& value, std::string_view what) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  fail_expected(what, value);
}

std::vector<std::int64_t> integers(const Value& value, std::string_view what) {
  const auto* items = sequence(value);
  if (items == nullptr) fail_expected(what, value);
  // The bound comes before the copy: a long tuple that is named often must not be copied often.
  if (items->size() > kMaxRank) {
    throw Error("expected " + std::string(what) + " of at most " + std::to_string(kMaxRank) + " numbers, found " +
                std::to_string(items->size()));
  }
  std::vector<std::int64_t> numbers(items->size());
  std::transform(items->begin(), items->end(), numbers.begin(), [&](const Value& v) { return integer(v, what); });
  return numbers;
}

std::string_view text(const Value& value, std::string_view what) {
  if (const auto* utf8 = std::get_if<Text>(&value)) return utf8->characters;
  if (const auto* latin1 = std::get_if<ByteText>(&value)) return latin1->characters;
  fail_expected(what, value);
}

}  // namespace maskrt::weights::pickle
