// Loops over the 32 lanes of a warp, for the instruction families. Include it last: everything after it is compiled for
// the processor level of this build of the file, while the standard headers' definitions remain compiled for any
// processor.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "checks/report.h"
#include "isa/families.h"
#include "machine/cta.h"
#include "machine/decoder.h"
#include "machine/warp.h"

#if VGPU_ISA == 4
#include <immintrin.h>
#pragma GCC target("arch=x86-64-v4", "prefer-vector-width=512")
#elif VGPU_ISA == 3
#include <immintrin.h>
#pragma GCC target("arch=x86-64-v3")
#endif

namespace vgpu::VGPU_LEVEL {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

inline bool has(Lanes mask, int lane) { return (mask >> lane & 1) != 0; }

/// Copies the lanes of the mask.
template <class D>
[[gnu::noinline]] void blend(D* d, const D* values, Lanes mask) {
#pragma GCC ivdep
  for (int l = 0; l < kWarpSize; ++l) d[l] = (mask >> l & 1) != 0 ? values[l] : d[l];
}

/// d[lane] = f(lane) for the lanes of the mask. f must be free of side effects: it also runs for the other lanes.
template <class D, class F>
inline void for_lanes(D* d, Lanes mask, F f) {
  alignas(64) D values[kWarpSize];
  D* out = mask == kAllLanes ? d : values;
#pragma GCC ivdep
  for (int l = 0; l < kWarpSize; ++l) out[l] = f(l);
  if (out != d) blend(d, values, mask);
}

template <class D, class A, class F>
inline void map1(Warp& w, const Instr& in, Lanes mask, F f) {
  const A* a = w.source<A>(in.a[1]);
  for_lanes(w.at<D>(in.a[0]), mask, [=](int l) { return static_cast<D>(f(a[l])); });
  w.define(in.a[0], mask, w.undefined_in(in.a[1]));
}

template <class D, class A, class B, class F>
inline void map2(Warp& w, const Instr& in, Lanes mask, F f) {
  const A* a = w.source<A>(in.a[1]);
  const B* b = w.source<B>(in.a[2]);
  for_lanes(w.at<D>(in.a[0]), mask, [=](int l) { return static_cast<D>(f(a[l], b[l])); });
  w.define(in.a[0], mask, w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]));
}

template <class D, class A, class B, class C, class F>
inline void map3(Warp& w, const Instr& in, Lanes mask, F f) {
  const A* a = w.source<A>(in.a[1]);
  const B* b = w.source<B>(in.a[2]);
  const C* c = w.source<C>(in.a[3]);
  for_lanes(w.at<D>(in.a[0]), mask, [=](int l) { return static_cast<D>(f(a[l], b[l], c[l])); });
  w.define(in.a[0], mask, w.undefined_in(in.a[1]) | w.undefined_in(in.a[2]) | w.undefined_in(in.a[3]));
}

/// One bit a lane of f(lane).
template <class F>
inline Lanes bits_of(F f) {
  Lanes bits = 0;
  for (int l = 0; l < kWarpSize; ++l) bits |= static_cast<Lanes>(f(l) ? 1 : 0) << l;
  return bits;
}

/// Handlers of Op<T>::apply over sources of one type. Op is a template over the C++ type.
template <template <class> class Op, class T>
void run1(Warp& w, const Instr& in, Lanes mask) {
  map1<T, T>(w, in, mask, [](T a) { return Op<T>::apply(a); });
}
template <template <class> class Op, class T>
void run2(Warp& w, const Instr& in, Lanes mask) {
  map2<T, T, T>(w, in, mask, [](T a, T b) { return Op<T>::apply(a, b); });
}
template <template <class> class Op, class T>
void run3(Warp& w, const Instr& in, Lanes mask) {
  map3<T, T, T, T>(w, in, mask, [](T a, T b, T c) { return Op<T>::apply(a, b, c); });
}

/// Reads destination and sources of one type each.
inline void take_operands(Decoder& d, Instr& in, Type result, std::initializer_list<Type> sources) {
  if (d.operand_count() != sources.size() + 1) {
    d.unsupported("expected " + std::to_string(sources.size() + 1) + " operands, found " +
                  std::to_string(d.operand_count()));
  }
  std::size_t i = 1;
  for (const Type type : sources) {
    in.a[i] = d.source(d.operand(i), type);
    ++i;
  }
  in.a[0] = d.destination(d.operand(0), result);
}

/// Which bytes of one lane's value are undefined, and whether they were computed from undefined data.
struct LaneBytes {
  u32 undefined = 0;
  bool tainted = false;
};

inline LaneBytes lane_bytes(const Warp& w, const Arg& arg, int lane) {
  return {w.undefined_bytes(arg, lane) & ((1u << arg.bytes) - 1), w.is_tainted(arg, lane)};
}

/// For instructions that move bytes about: byte(lane) tells what becomes undefined in lanes where a source is. Call it
/// before the destination, which may be one of the sources, is written.
template <class F>
inline void define_bytes(Warp& w, const Arg& destination, Lanes mask, Lanes sources, F byte) {
  if ((sources & mask) == 0) [[likely]] {
    w.define(destination, mask, 0);
    return;
  }
  w.check_pending(mask);
  for (int l = 0; l < kWarpSize; ++l) {
    if (!has(mask, l)) continue;
    const LaneBytes b = has(sources, l) ? byte(l) : LaneBytes{};
    w.set_undefined_bytes(destination, l, b.undefined, b.tainted);
  }
}

}  // namespace vgpu::VGPU_LEVEL
