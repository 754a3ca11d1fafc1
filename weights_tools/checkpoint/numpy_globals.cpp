// What of numpy a checkpoint may mention: arrays, scalars and their dtypes.
#include <string>

#include "globals.h"

namespace maskrt::weights::pickle {
namespace {

struct NamedElement {
  std::string_view code;
  const ElementType* type;
};
constexpr NamedElement kCodes[] = {
    {"f8", &element::f64},       {"f4", &element::f32},         {"f2", &element::f16}, {"i8", &element::i64},
    {"i4", &element::i32},       {"i2", &element::i16},         {"i1", &element::i8},  {"u8", &element::u64},
    {"u4", &element::u32},       {"u2", &element::u16},         {"u1", &element::u8},  {"b1", &element::boolean},
    {"c8", &element::complex64}, {"c16", &element::complex128},
};

// Bytes in any spelling; null for a value that holds none.
Blob* blob_from(Heap& heap, const Value& value) {
  if (auto* blob = as<Blob>(value)) return blob;
  if (const auto* raw = std::get_if<ByteText>(&value)) {
    return heap.make(Blob{std::as_bytes(std::span(raw->characters)), {}});
  }
  return nullptr;
}

const NumpyType& expect_type(const Value& value) {
  if (const auto* type = as<NumpyType>(value)) return *type;
  throw Error("expected a numpy.dtype, found a value of type " + std::string(type_name(value)));
}

// Gives an array its type, shape and data. Arrays of objects have a list where the data would be.
void fill(Heap& heap, Tensor& array, const Value& type, const Value& shape, const Value& data, bool column_major) {
  const auto& dtype = expect_type(type);
  auto* blob = blob_from(heap, data);
  array.type = blob != nullptr ? dtype.type : &element::other;
  array.big_endian = dtype.big_endian;
  array.shape = integers(shape, "a shape");
  array.column_major = column_major;
  array.blob = blob;
  heap.charge(array.shape.size() * sizeof(std::int64_t));
}

Tensor* empty_array(Heap& heap) {
  Tensor array;
  array.is_numpy = true;
  return heap.make(std::move(array));
}

// numpy.dtype("f4", align, copy); the byte order follows as its state.
Value dtype(const Call& call) {
  call.expect_arguments(1, 3);
  NumpyType type;
  if (const auto* known = std::get_if<const Global*>(&call.arguments[0])) {
    if ((*known)->element != nullptr) type.type = (*known)->element;
    return call.heap.make(type);
  }
  auto code = text(call.arguments[0], "a dtype's code");
  if (code.starts_with('>')) type.big_endian = true;
  if (!code.empty() && std::string_view("<>=|").find(code.front()) != std::string_view::npos) code.remove_prefix(1);
  for (const auto& known : kCodes) {
    if (known.code == code) type.type = known.type;
  }
  return call.heap.make(type);
}

// _reconstruct(numpy.ndarray, (0,), b"b"): empty until its state is set.
Value reconstruct(const Call& call) {
  call.expect_arguments(3, 3);
  return empty_array(call.heap);
}

// scalar(dtype, bytes): an array of no dimensions.
Value scalar(const Call& call) {
  call.expect_arguments(2, 2);
  auto* array = empty_array(call.heap);
  fill(call.heap, *array, call.arguments[0], call.heap.make(Tuple{}), call.arguments[1], false);
  return array;
}

// _frombuffer(bytes, dtype, shape, "C" or "F"): protocol 5.
Value from_buffer(const Call& call) {
  call.expect_arguments(4, 4);
  const auto order = text(call.arguments[3], "an array's order");
  if (order != "C" && order != "F") {
    throw Error("expected an array in order C or F, found \"" + std::string(order.substr(0, 32)) + "\"");
  }
  auto* array = empty_array(call.heap);
  fill(call.heap, *array, call.arguments[1], call.arguments[2], call.arguments[0], order == "F");
  return array;
}

constexpr Global kGlobals[] = {
    {"numpy.ndarray"},
    {"numpy.dtype", dtype},
    {"numpy.core.multiarray._reconstruct", reconstruct},
    {"numpy._core.multiarray._reconstruct", reconstruct},
    {"numpy.core.multiarray.scalar", scalar},
    {"numpy._core.multiarray.scalar", scalar},
    {"numpy.core.numeric._frombuffer", from_buffer},
    {"numpy._core.numeric._frombuffer", from_buffer},
    {"ml_dtypes.bfloat16", nullptr, &element::bf16},
    {"ml_dtypes.float8_e4m3fn", nullptr, &element::f8_e4m3fn},
    {"ml_dtypes.float8_e5m2", nullptr, &element::f8_e5m2},
    {"ml_dtypes.float8_e4m3fnuz", nullptr, &element::f8_e4m3fnuz},
    {"ml_dtypes.float8_e5m2fnuz", nullptr, &element::f8_e5m2fnuz},
};

}  // namespace

// (version, shape, dtype, column_major, data)
void set_array_state(Heap& heap, Tensor& array, const Value& state) {
  const auto* items = sequence(state);
  if (items == nullptr || items->size() != 5) {
    throw Error("expected five values as the state of a numpy array, found " +
                (items != nullptr ? std::to_string(items->size()) : std::string(type_name(state))));
  }
  const auto* flag = std::get_if<bool>(&(*items)[3]);
  const bool column_major = flag != nullptr ? *flag : integer((*items)[3], "the order of a numpy array") != 0;
  fill(heap, array, (*items)[2], (*items)[1], (*items)[4], column_major);
}

// (version, byte order, subtype, names, fields, ...)
void set_numpy_type_state(NumpyType& type, const Value& state) {
  const auto* items = sequence(state);
  if (items == nullptr || items->size() < 5) {
    throw Error("expected a tuple as the state of a numpy.dtype, found a value of type " +
                std::string(type_name(state)));
  }
  if (const auto order = text((*items)[1], "a byte order"); order == ">") type.big_endian = true;
  const auto is_none = [](const Value& value) { return std::holds_alternative<None>(value); };
  if (!is_none((*items)[2]) || !is_none((*items)[3]) || !is_none((*items)[4])) type.type = &element::other;  // a record
}

std::span<const Global> numpy_globals() { return kGlobals; }

}  // namespace maskrt::weights::pickle
