// What atomics and reductions do to one element in memory. PTX ISA, 9.7.13.5 atom, 9.7.9.25.5 cp.reduce.async.bulk.
#pragma once

#include <mutex>
#include <string_view>

#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {

// The operations, on one element's bits. `b` and `c` are the operands. 9.7.13.5.
template <class T>
struct AddInt {
  static T apply(T old, T b, T) { return static_cast<T>(old + b); }
};
template <class T>
struct Exchange {
  static T apply(T, T b, T) { return b; }
};
template <class T>
struct CompareAndSwap {
  static T apply(T old, T b, T c) { return old == b ? c : old; }
};
template <class T>
struct And {
  static T apply(T old, T b, T) { return old & b; }
};
template <class T>
struct Or {
  static T apply(T old, T b, T) { return old | b; }
};
template <class T>
struct Xor {
  static T apply(T old, T b, T) { return old ^ b; }
};
template <class T>
struct Min {
  static T apply(T old, T b, T) { return b < old ? b : old; }
};
template <class T>
struct Max {
  static T apply(T old, T b, T) { return b > old ? b : old; }
};
struct Increment {
  static u32 apply(u32 old, u32 b, u32) { return old >= b ? 0 : old + 1; }
};
struct Decrement {
  static u32 apply(u32 old, u32 b, u32) { return old == 0 || old > b ? b : old - 1; }
};
struct AddFloat {
  static u32 apply(u32 old, u32 b, u32) {
    return std::bit_cast<u32>(std::bit_cast<float>(old) + std::bit_cast<float>(b));
  }
};
struct AddDouble {
  static u64 apply(u64 old, u64 b, u64) {
    return std::bit_cast<u64>(std::bit_cast<double>(old) + std::bit_cast<double>(b));
  }
};

struct AddF {
  static float apply(float a, float b) { return a + b; }
};
struct MinF {
  static float apply(float a, float b) { return a != a ? b : b != b ? a : b < a ? b : a; }
};
struct MaxF {
  static float apply(float a, float b) { return a != a ? b : b != b ? a : b > a ? b : a; }
};
template <class Format, class Op>
struct Half1 {
  static u16 apply(u16 old, u16 b, u16) {
    return Format::from_float(Op::apply(Format::to_float(old), Format::to_float(b)));
  }
};
template <class Format, class Op>
struct Half2 {
  static u32 apply(u32 old, u32 b, u32) {
    const u32 low = Half1<Format, Op>::apply(static_cast<u16>(old), static_cast<u16>(b), 0);
    const u32 high = Half1<Format, Op>::apply(static_cast<u16>(old >> 16), static_cast<u16>(b >> 16), 0);
    return low | high << 16;
  }
};

/// What the checks record of a location and its update go together; 128 bits are read and written under it as well.
inline std::mutex& location_lock(u64 address) {
  static std::mutex locks[64];
  return locks[address / 16 % 64];
}

/// memory = Op(memory, b, c) by the host's own compare-and-swap, because plain stores by other blocks take no lock; 128
/// bits, which not every host has, rely on the lock. Returns what was there.
template <class T, class Op>
inline T update_element(u8* memory, T b, T c) {
  if constexpr (sizeof(T) == 16) {
    T old;
    std::memcpy(&old, memory, sizeof old);
    const T result = Op::apply(old, b, c);
    std::memcpy(memory, &result, sizeof result);
    return old;
  } else {
    T* location = reinterpret_cast<T*>(memory);
    T value = __atomic_load_n(location, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n(location, &value, Op::apply(value, b, c), false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
    }
    return value;
  }
}

/// visit.template operator()<T, Op>() for the operation of this name and type; a null value where there is none.
template <class Visit>
auto with_operation(std::string_view op, Type t, Visit visit) -> decltype(visit.template operator()<u32, And<u32>>()) {
#define VGPU_BY_SIZE(Op)                                                            \
  switch (size_of(t)) {                                                             \
    case 2:                                                                         \
      return visit.template operator()<u16, Op<u16>>();                             \
    case 4:                                                                         \
      return visit.template operator()<u32, Op<u32>>();                             \
    case 8:                                                                         \
      return visit.template operator()<u64, Op<u64>>();                             \
    case 16:                                                                        \
      return visit.template operator()<unsigned __int128, Op<unsigned __int128>>(); \
    default:                                                                        \
      return {};                                                                    \
  }
  if (op == "exch") VGPU_BY_SIZE(Exchange)
  if (op == "cas") VGPU_BY_SIZE(CompareAndSwap)
  if (op == "and") VGPU_BY_SIZE(And)
  if (op == "or") VGPU_BY_SIZE(Or)
  if (op == "xor") VGPU_BY_SIZE(Xor)
  if (op == "inc" && t == Type::u32) return visit.template operator()<u32, Increment>();
  if (op == "dec" && t == Type::u32) return visit.template operator()<u32, Decrement>();
  const auto half = [&]<class F>() -> decltype(visit.template operator()<u32, And<u32>>()) {
    switch (t) {
      case Type::f16:
        return visit.template operator()<u16, Half1<Half, F>>();
      case Type::bf16:
        return visit.template operator()<u16, Half1<Bfloat, F>>();
      case Type::f16x2:
        return visit.template operator()<u32, Half2<Half, F>>();
      case Type::bf16x2:
        return visit.template operator()<u32, Half2<Bfloat, F>>();
      default:
        return {};
    }
  };
  if (op == "add") {
    if (t == Type::f32) return visit.template operator()<u32, AddFloat>();
    if (t == Type::f64) return visit.template operator()<u64, AddDouble>();
    if (is_float(t)) return half.template operator()<AddF>();
    VGPU_BY_SIZE(AddInt)
  }
#undef VGPU_BY_SIZE
  if (op != "min" && op != "max") return {};
  const bool least = op == "min";
  switch (t) {
    case Type::u32:
      return least ? visit.template operator()<u32, Min<u32>>() : visit.template operator()<u32, Max<u32>>();
    case Type::s32:
      return least ? visit.template operator()<s32, Min<s32>>() : visit.template operator()<s32, Max<s32>>();
    case Type::u64:
      return least ? visit.template operator()<u64, Min<u64>>() : visit.template operator()<u64, Max<u64>>();
    case Type::s64:
      return least ? visit.template operator()<s64, Min<s64>>() : visit.template operator()<s64, Max<s64>>();
    default:
      return least ? half.template operator()<MinF>() : half.template operator()<MaxF>();
  }
}

}  // namespace vgpu::VGPU_LEVEL
