// What of PyTorch a checkpoint may mention: storages, dtypes, and the functions that put a tensor on a storage.
#include <string>

#include "globals.h"

namespace maskrt::weights::pickle {
namespace {

Tensor* expect_tensor(const Call& call, const Value& value) {
  if (auto* tensor = as<Tensor>(value)) return tensor;
  call.fail("a tensor", value);
}

// Conjugate and negative views store the opposite of what they mean: gives the flag that says so, or nothing.
std::string_view lazy_flag(const Value& metadata) {
  const auto* dict = as<Dict>(metadata);
  if (dict == nullptr) return {};
  // PyTorch knows two flags. The bound comes before the search: a long dict that is named often must not be searched
  // often.
  constexpr std::size_t kMostFlags = 16;
  if (dict->items.size() > kMostFlags) {
    throw Error("expected at most " + std::to_string(kMostFlags) + " flags of a tensor, found a dict of " +
                std::to_string(dict->items.size()));
  }
  for (const auto& [key, value] : dict->items) {
    if (const auto* flag = std::get_if<bool>(&value); flag != nullptr && *flag) return text(key, "the name of a flag");
  }
  return {};
}

// (storage, offset, shape, strides, ...)
Tensor* on_storage(const Call& call) {
  auto* storage = as<Storage>(call.arguments[0]);
  if (storage == nullptr) call.fail("a storage", call.arguments[0]);
  Tensor tensor;
  tensor.type = storage->type;
  tensor.offset = integer(call.arguments[1], "a storage offset");
  tensor.shape = integers(call.arguments[2], "a shape");
  tensor.strides = integers(call.arguments[3], "strides");
  tensor.storage = storage;
  call.heap.charge((tensor.shape.size() + tensor.strides.size()) * sizeof(std::int64_t));
  return call.heap.make(std::move(tensor));
}

// (storage, offset, shape, strides)
Value rebuild_tensor(const Call& call) {
  call.expect_arguments(4, 4);
  return on_storage(call);
}

// (storage, offset, shape, strides, requires_grad, backward_hooks[, metadata])
Value rebuild_tensor_v2(const Call& call) {
  call.expect_arguments(6, 7);
  const auto flag = call.arguments.size() == 7 ? lazy_flag(call.arguments[6]) : std::string_view();
  auto* tensor = on_storage(call);
  tensor->lazy_flag = flag;
  return tensor;
}

// (storage, offset, shape, strides, requires_grad, backward_hooks, dtype[, metadata]); the storage is untyped.
Value rebuild_tensor_v3(const Call& call) {
  call.expect_arguments(7, 8);
  const auto* dtype = std::get_if<const Global*>(&call.arguments[6]);
  if (dtype == nullptr || (*dtype)->element == nullptr) call.fail("a dtype", call.arguments[6]);
  auto* tensor = on_storage(call);
  tensor->type = (*dtype)->element;
  if (call.arguments.size() == 8) tensor->lazy_flag = lazy_flag(call.arguments[7]);
  return tensor;
}

// (tensor, requires_grad, backward_hooks[, state])
Value rebuild_parameter(const Call& call) {
  call.expect_arguments(3, 4);
  return expect_tensor(call, call.arguments[0]);
}

// (function, type, arguments, state): a tensor with Python attributes, which are dropped.
Value rebuild_from_type(const Call& call) {
  call.expect_arguments(4, 4);
  const auto* function = std::get_if<const Global*>(&call.arguments[0]);
  const auto* inner = as<Tuple>(call.arguments[2]);
  // Not this function again, so that nothing recurses.
  if (function == nullptr || (*function)->construct == nullptr || *function == &call.callee) {
    call.fail("a function that rebuilds a tensor", call.arguments[0]);
  }
  if (inner == nullptr) call.fail("a tuple of arguments", call.arguments[2]);
  return expect_tensor(call, (*function)->construct({call.heap, call.load_storage, **function, inner->items}));
}

// torch.Size((1, 2, 3))
Value size(const Call& call) {
  call.expect_arguments(1, 1);
  const auto& value = call.arguments[0];
  if (sequence(value) != nullptr) return value;
  call.fail("a tuple", value);
}

// How pickle.dump writes a storage: torch.save's bytes inside the pickle.
Value load_from_bytes(const Call& call) {
  call.expect_arguments(1, 1);
  auto* file = as<Blob>(call.arguments[0]);
  if (file == nullptr) call.fail("bytes", call.arguments[0]);
  if (call.load_storage == nullptr) return Opaque{call.callee.name};
  constexpr std::size_t kSmallest = 1024;  // what reading the smallest of such files takes
  call.heap.charge(kSmallest + file->bytes.size());
  return call.load_storage(call.heap, *file);
}

Value device(const Call& call) {
  call.expect_arguments(1, 2);
  return Opaque{"torch.device"};
}

constexpr Global kGlobals[] = {
    {"torch._utils._rebuild_tensor", rebuild_tensor},
    {"torch._utils._rebuild_tensor_v2", rebuild_tensor_v2},
    {"torch._utils._rebuild_tensor_v3", rebuild_tensor_v3},
    {"torch._utils._rebuild_parameter", rebuild_parameter},
    {"torch._utils._rebuild_parameter_with_state", rebuild_parameter},
    {"torch._tensor._rebuild_from_type_v2", rebuild_from_type},
    {"torch.storage._load_from_bytes", load_from_bytes},
    {"torch.Tensor"},
    {"torch.nn.parameter.Parameter"},
    {"torch.Size", size},
    {"torch.device", device},
    {"torch.DoubleStorage", nullptr, &element::f64},
    {"torch.FloatStorage", nullptr, &element::f32},
    {"torch.HalfStorage", nullptr, &element::f16},
    {"torch.BFloat16Storage", nullptr, &element::bf16},
    {"torch.LongStorage", nullptr, &element::i64},
    {"torch.IntStorage", nullptr, &element::i32},
    {"torch.ShortStorage", nullptr, &element::i16},
    {"torch.CharStorage", nullptr, &element::i8},
    {"torch.ByteStorage", nullptr, &element::u8},
    {"torch.BoolStorage", nullptr, &element::boolean},
    {"torch.ComplexFloatStorage", nullptr, &element::complex64},
    {"torch.ComplexDoubleStorage", nullptr, &element::complex128},
    {"torch.QInt8Storage", nullptr, &element::quantized8},
    {"torch.QUInt8Storage", nullptr, &element::quantized8},
    {"torch.QInt32Storage", nullptr, &element::quantized32},
    {"torch.QUInt4x2Storage", nullptr, &element::quantized8},
    {"torch.QUInt2x4Storage", nullptr, &element::quantized8},
    {"torch.UntypedStorage", nullptr, &element::u8},
    {"torch.storage.UntypedStorage", nullptr, &element::u8},
    {"torch.float64", nullptr, &element::f64},
    {"torch.float32", nullptr, &element::f32},
    {"torch.float16", nullptr, &element::f16},
    {"torch.bfloat16", nullptr, &element::bf16},
    {"torch.int64", nullptr, &element::i64},
    {"torch.int32", nullptr, &element::i32},
    {"torch.int16", nullptr, &element::i16},
    {"torch.int8", nullptr, &element::i8},
    {"torch.uint8", nullptr, &element::u8},
    {"torch.uint16", nullptr, &element::u16},
    {"torch.uint32", nullptr, &element::u32},
    {"torch.uint64", nullptr, &element::u64},
    {"torch.bool", nullptr, &element::boolean},
    {"torch.complex32", nullptr, &element::complex32},
    {"torch.complex64", nullptr, &element::complex64},
    {"torch.complex128", nullptr, &element::complex128},
    {"torch.float8_e4m3fn", nullptr, &element::f8_e4m3fn},
    {"torch.float8_e5m2", nullptr, &element::f8_e5m2},
    {"torch.float8_e4m3fnuz", nullptr, &element::f8_e4m3fnuz},
    {"torch.float8_e5m2fnuz", nullptr, &element::f8_e5m2fnuz},
};

}  // namespace

std::span<const Global> torch_globals() { return kGlobals; }

}  // namespace maskrt::weights::pickle
