// Warp-level matrices whose fragments are opaque. PTX ISA, 9.7.14.4: wmma.load, wmma.store, wmma.mma.
//
// Which thread holds which element is unspecified; here lane l holds, in this order of its registers, the elements from
// l * (elements a lane) on, row by row, and from the first on again where the fragment has room for each twice.
#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/half_formats.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

struct Shape {
  u32 m = 0, n = 0, k = 0;
};

/// By the numbers that the instructions' flags hold.
constexpr Shape kShapes[] = {{16, 16, 16}, {32, 8, 16}, {8, 32, 16}, {16, 16, 8}, {8, 8, 4}};

/// One operand: its matrix, the type of its elements, and the registers of a lane that hold them.
struct Fragment {
  u32 rows = 0, columns = 0;
  Type type = Type::none;
  u32 registers = 0;

  u32 element_bytes() const { return type == Type::tf32 ? 4 : size_of(type); }
  u32 register_bytes() const { return type == Type::f64 ? 8 : 4; }
  u32 per_register() const { return register_bytes() / element_bytes(); }
  u32 per_lane() const { return registers * per_register(); }
  Type register_type() const {
    return type == Type::f64 ? Type::f64 : type == Type::f32 ? Type::f32 : type == Type::s32 ? Type::s32 : Type::b32;
  }
  /// Row-major index in the matrix of element `j` of a lane.
  u32 index(u32 lane, u32 j) const { return (lane * per_lane() + j) % (rows * columns); }
};

/// 9.7.14.4.1 "Matrix Fragments for WMMA". `operand`: 'a', 'b', or 'c' for both accumulators. No registers where the
/// combination does not exist.
Fragment fragment(char operand, const Shape& s, Type type) {
  Fragment f;
  f.rows = operand == 'b' ? s.k : s.m;
  f.columns = operand == 'a' ? s.k : s.n;
  f.type = type;
  const bool wide = s.k == 16 && s.m * s.n == 256;  // m16n16k16, m32n8k16, m8n32k16
  const u32 lane_elements = f.rows * f.columns / kWarpSize;
  if (operand == 'c') {
    const bool known = wide       ? type == Type::f16 || type == Type::f32 || type == Type::s32
                       : s.k == 8 ? type == Type::f32
                                  : type == Type::f64;
    if (known) f.registers = lane_elements / f.per_register();
  } else if (type == Type::f16) {
    if (wide) f.registers = 8;
  } else if (type == Type::bf16 || type == Type::s8 || type == Type::u8) {
    if (wide) f.registers = lane_elements / f.per_register();
  } else if (type == Type::tf32) {
    if (s.k == 8 && s.m == 16 && s.n == 16) f.registers = lane_elements;
  } else if (type == Type::f64) {
    if (s.k == 4 && s.m == 8 && s.n == 8) f.registers = lane_elements;
  }
  return f;
}

Fragment of(const Instr& in) {
  return fragment(static_cast<char>(in.count), kShapes[in.flags >> 16 & 7], static_cast<Type>(in.width));
}
constexpr u32 kColumnMajor = 1u << 15;

/// The address of each of a lane's elements. Rows (columns) must start at multiples of the fragment's size: 9.7.14.4.2
/// "Matrix Storage for WMMA".
template <class F>
void each_element(Warp& w, const Instr& in, Lanes mask, const Fragment& f, const Arg& base, const Arg& stride,
                  F visit) {
  alignas(64) u64 at[kWarpSize];
  addresses(w, base, in.immediate, mask, at);
  w.require_defined(stride, mask, "the stride of a matrix");
  const u32* strides = w.source<u32>(stride);
  const bool by_column = (in.flags & kColumnMajor) != 0;
  const u64 pitch = u64{strides[0]} * f.element_bytes();
  const u32 bytes = f.registers * f.register_bytes();
  for (u32 l = 0; l < kWarpSize; ++l) {
    if (at[l] != at[0] || strides[l] != strides[0])
      w.fail(Check::invalid, Lanes{1} << l, "the address or stride of a matrix differs between the threads of a warp");
  }
  if (at[0] % bytes != 0 || pitch % bytes != 0)
    w.fail(Check::misaligned, mask,
           "the rows or columns of this matrix must start at multiples of its fragment's " + std::to_string(bytes) +
               " bytes");
  for (u32 l = 0; l < kWarpSize; ++l) {
    for (u32 j = 0; j < f.per_lane(); ++j) {
      const u32 index = f.index(l, j), row = index / f.columns, column = index % f.columns;
      const u64 address =
          at[0] + (by_column ? column * pitch + row * f.element_bytes() : row * pitch + column * f.element_bytes());
      visit(static_cast<int>(l), j, address);
    }
  }
}

void load(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  const Fragment f = of(in);
  const auto space = static_cast<ptx::Space>(in.flags & 7);
  const u32 size = f.element_bytes(), per = f.per_register();
  std::vector<u32> undefined(f.registers * kWarpSize, 0);
  Lanes tainted = 0;
  std::vector<u8> values(f.registers * kWarpSize * f.register_bytes());
  each_element(w, in, mask, f, in.a[1], in.a[2], [&](int l, u32 j, u64 address) {
    const Place p = place(w, l, space, address, size, {});
    const u32 slot = j / per * kWarpSize + static_cast<u32>(l);
    std::memcpy(values.data() + slot * f.register_bytes() + j % per * size, p.data, size);
    for (u32 b = 0; !p.defined && b < size; ++b) {
      if (p.states[b] == static_cast<u8>(ByteState::defined)) continue;
      undefined[slot] |= 1u << (j % per * size + b);
      if (p.states[b] == static_cast<u8>(ByteState::tainted)) tainted |= Lanes{1} << l;
    }
  });
  for (u32 i = 0; i < f.registers; ++i) {
    if (w.undefined_in(in.more[i]) != 0) w.check_pending(mask);
    std::memcpy(w.at<u8>(in.more[i]), values.data() + i * kWarpSize * f.register_bytes(),
                kWarpSize * f.register_bytes());
    for (int l = 0; l < kWarpSize; ++l)
      w.set_undefined_bytes(in.more[i], l, undefined[i * kWarpSize + static_cast<u32>(l)], has(tainted, l));
  }
}

void store(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  const Fragment f = of(in);
  const auto space = static_cast<ptx::Space>(in.flags & 7);
  const u32 size = f.element_bytes(), per = f.per_register();
  ++w.cta->cluster->progress;
  each_element(w, in, mask, f, in.a[0], in.a[2], [&](int l, u32 j, u64 address) {
    const Arg& r = in.more[j / per];
    const Place p = place(w, l, space, address, size, {true, false, false});
    std::memcpy(p.data, w.source<u8>(r) + static_cast<u32>(l) * f.register_bytes() + j % per * size, size);
    const LaneBytes b = lane_bytes(w, r, l);
    const u32 bad = b.undefined >> j % per * size & ((1u << size) - 1);
    if (bad != 0) w.check_pending(mask);
    if (bad != 0 && b.tainted && is_global(space, address))
      w.fail(Check::uninitialised, Lanes{1} << l,
             "a value computed from data that was never written is stored to global memory");
    for (u32 k = 0; k < size; ++k) {
      p.states[k] = static_cast<u8>((bad >> k & 1) == 0 ? ByteState::defined
                                    : b.tainted         ? ByteState::tainted
                                                        : ByteState::undefined);
    }
  });
}

double widened(const u8* bytes, Type type) {
  u64 bits = 0;
  std::memcpy(&bits, bytes, type == Type::tf32 ? 4 : size_of(type));
  switch (type) {
    case Type::f16:
      return static_cast<double>(Half::to_float(static_cast<u16>(bits)));
    case Type::bf16:
      return static_cast<double>(Bfloat::to_float(static_cast<u16>(bits)));
    case Type::tf32:
      return static_cast<double>(std::bit_cast<float>(static_cast<u32>(bits) & 0xffffe000u));
    case Type::f32:
      return static_cast<double>(std::bit_cast<float>(static_cast<u32>(bits)));
    case Type::s8:
      return static_cast<s8>(bits);
    case Type::u8:
      return static_cast<u8>(bits);
    case Type::s32:
      return static_cast<s32>(bits);
    default:
      return std::bit_cast<double>(bits);
  }
}

/// A matrix gathered from its fragment, and which of its elements are undefined.
struct Matrix {
  std::vector<double> values;
  std::vector<u8> bad;
};
Matrix gather(const Warp& w, const Fragment& f, const Arg* registers) {
  Matrix m{std::vector<double>(f.rows * f.columns), std::vector<u8>(f.rows * f.columns, 0)};
  const u32 size = f.element_bytes(), per = f.per_register();
  for (u32 l = 0; l < kWarpSize; ++l) {
    for (u32 j = 0; j < f.per_lane(); ++j) {
      const Arg& r = registers[j / per];
      m.values[f.index(l, j)] = widened(w.source<u8>(r) + l * f.register_bytes() + j % per * size, f.type);
      if (has(w.undefined_in(r), static_cast<int>(l))) m.bad[f.index(l, j)] = 1;
    }
  }
  return m;
}

/// more: D, A, B, C. Products are summed in the order of K, floating point in f32 and f64 as D is.
void multiply(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  const Shape s = kShapes[in.flags >> 16 & 7];
  const auto type = [&](u32 i) { return static_cast<Type>(in.immediate >> 8 * i & 0xff); };
  const Fragment fd = fragment('c', s, type(0)), fa = fragment('a', s, type(1)), fb = fragment('b', s, type(2)),
                 fc = fragment('c', s, type(3));
  const Matrix a = gather(w, fa, in.more + fd.registers), b = gather(w, fb, in.more + fd.registers + fa.registers),
               c = gather(w, fc, in.more + fd.registers + fa.registers + fb.registers);
  Matrix d{std::vector<double>(s.m * s.n), std::vector<u8>(s.m * s.n, 0)};
  const bool single = fd.type == Type::f32 || fd.type == Type::f16;
  for (u32 i = 0; i < s.m; ++i) {
    for (u32 j = 0; j < s.n; ++j) {
      double sum = c.values[i * s.n + j];
      u8 bad = c.bad[i * s.n + j];
      for (u32 k = 0; k < s.k; ++k) {
        const double x = a.values[i * s.k + k], y = b.values[k * s.n + j];
        // The product of two short formats is exact in f64, so that one rounding makes it an fma in f32.
        sum = single ? static_cast<double>(static_cast<float>(x * y + sum)) : std::fma(x, y, sum);
        bad |= a.bad[i * s.k + k] | b.bad[k * s.n + j];
      }
      d.values[i * s.n + j] = sum;
      d.bad[i * s.n + j] = bad;
    }
  }
  w.check_pending(mask);
  const u32 size = fd.element_bytes(), per = fd.per_register();
  std::vector<Lanes> undefined(fd.registers, 0);
  for (u32 l = 0; l < kWarpSize; ++l) {
    for (u32 j = 0; j < fd.per_lane(); ++j) {
      const double v = d.values[fd.index(l, j)];
      u64 bits = 0;
      switch (fd.type) {
        case Type::f16:
          bits = Half::from_float(static_cast<float>(v));
          break;
        case Type::f32:
          bits = std::bit_cast<u32>(static_cast<float>(v));
          break;
        case Type::f64:
          bits = std::bit_cast<u64>(v);
          break;
        default: {
          const s64 exact = static_cast<s64>(v), high = std::numeric_limits<s32>::max();
          const s64 clamped = exact > high ? high : exact < -high - 1 ? -high - 1 : exact;
          bits = static_cast<u32>(in.count != 0 ? clamped : exact);
        }
      }
      std::memcpy(w.at<u8>(in.more[j / per]) + l * fd.register_bytes() + j % per * size, &bits, size);
      if (d.bad[fd.index(l, j)] != 0) undefined[j / per] |= Lanes{1} << l;
    }
  }
  for (u32 i = 0; i < fd.registers; ++i) w.define(in.more[i], mask, undefined[i]);
}

Shape take_shape(Decoder& d, Instr& in) {
  const std::string_view name = d.take_one_of({"m16n16k16", "m32n8k16", "m8n32k16", "m16n16k8", "m8n8k4"});
  if (name.empty()) d.unsupported("expected a shape that the virtual GPU knows");
  const u32 number = name == "m16n16k16"  ? 0
                     : name == "m32n8k16" ? 1
                     : name == "m8n32k16" ? 2
                     : name == "m16n16k8" ? 3
                                          : 4;
  in.flags |= number << 16;
  return kShapes[number];
}

void take_registers(Decoder& d, const ptx::Operand& list, const Fragment& f, bool write, std::vector<Arg>& args) {
  if (f.registers == 0) d.unsupported("expected a combination of shape and types that the virtual GPU knows");
  if (list.kind != ptx::Operand::Kind::vector || list.items.size() != f.registers)
    d.unsupported("expected " + std::to_string(f.registers) + " registers in braces");
  for (const auto& item : list.items)
    args.push_back(write ? d.destination(item, f.register_type()) : d.source(item, f.register_type()));
}

void decode_access(Decoder& d, Instr& in, bool is_load) {
  const std::string_view operand = is_load ? d.take_one_of({"a", "b", "c"}) : d.take_one_of({"d"});
  if (operand.empty()) d.unsupported("expected .a, .b, .c of wmma.load, .d of wmma.store");
  const std::string_view layout = d.take_one_of({"row", "col"});
  const Shape shape = take_shape(d, in);
  const ptx::Space space = take_space(d);
  const Type type = d.need_type();
  const char which = operand == "d" ? 'c' : operand[0];
  const Fragment f = fragment(which, shape, type);
  in.count = static_cast<u8>(which);
  in.width = static_cast<u8>(type);
  in.flags |= static_cast<u32>(space) | (layout == "col" ? kColumnMajor : 0);
  in.kind = Kind::memory;
  std::vector<Arg> args;
  take_registers(d, d.operand(is_load ? 0 : 1), f, is_load, args);
  d.set_more(in, args);
  in.a[is_load ? 1 : 0] = d.address(d.operand(is_load ? 1 : 0), space, in);
  in.a[2] =
      d.operand_count() > 2 ? d.source(d.operand(2), Type::u32) : d.constant(layout == "col" ? f.rows : f.columns, 4);
  in.run = is_load ? load : store;
}

void decode_mma(Decoder& d, Instr& in) {
  d.take_one_of({"row", "col"});
  d.take_one_of({"row", "col"});
  const Shape shape = take_shape(d, in);
  d.take("rn");
  in.count = d.take("satfinite") ? 1 : 0;
  const Type first = d.need_type(), second = d.need_type(), third = d.take_type();
  // The f16 forms name D and C alone.
  const bool half = third == Type::none;
  const Type types[4] = {first, half ? Type::f16 : second, half ? Type::f16 : third, half ? second : d.need_type()};
  std::vector<Arg> args;
  for (std::size_t i = 0; i < 4; ++i) {
    take_registers(d, d.operand(i), fragment(i == 1 ? 'a' : i == 2 ? 'b' : 'c', shape, types[i]), i == 0, args);
    in.immediate |= static_cast<s64>(types[i]) << 8 * i;
  }
  d.set_more(in, args);
  in.kind = Kind::tensor;
  in.tensor_ops = 2 * shape.m * shape.n * shape.k;
  in.run = multiply;
}

void decode(Decoder& d, Instr& in) {
  const std::string_view what = d.take_one_of({"load", "store", "mma"});
  d.take("sync");
  d.take("aligned");
  if (what == "mma") {
    decode_mma(d, in);
  } else {
    decode_access(d, in, what == "load");
  }
}

}  // namespace

void add_wmma(OpTable& table) { table["wmma"] = decode; }

}  // namespace vgpu::VGPU_LEVEL
