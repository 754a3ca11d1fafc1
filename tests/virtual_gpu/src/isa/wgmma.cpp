// Asynchronous warpgroup matrix instructions. PTX ISA, 9.7.15: wgmma.mma_async, wgmma.fence, wgmma.commit_group,
// wgmma.wait_group. Each warp of the warpgroup computes its own 16 of the 64 rows.
//
// The product is computed when its warp waits for it. Until then the accumulators count as pending: touching them is
// reported. Shared memory is read at that time too, so that what overwrites it too early spoils the result, and the
// race check compares with what the warp was ordered after when it issued the instruction.
#include <algorithm>

#include "isa/families.h"
#include "isa/lanes.h"
#include "isa/matrix_core.h"
#include "machine/access.h"

namespace vgpu::VGPU_LEVEL {
namespace {

enum Accumulator : u32 { kF32, kF16, kS32 };

struct Plan {
  const Instr* instr = nullptr;
  FramePtr frame;
  u64 a = 0, b = 0;  ///< matrix descriptors
  std::vector<u32> a_registers;
  bool accumulate = false;
  View view;
};

constexpr u32 kATransposed = 1, kBTransposed = 2, kNegate = 4, kARegisters = 8, kSaturate = 16;
/// instr.count: N / 8. more: D, then A's registers where it has some, then the descriptors, then scale-d.
u32 d_registers(const Instr& in) { return static_cast<u32>(in.immediate & 0xffff); }
u32 a_registers(const Instr& in) { return static_cast<u32>(in.immediate >> 16 & 0xffff); }

/// A matrix in shared memory as its descriptor describes it. PTX ISA, 9.7.15.5.1 "Shared Memory Matrix Layout", "Matrix
/// Descriptor Format": addresses and offsets in units of 16 bytes; swizzle 1: 128 bytes, 2: 64, 3: 32, 0: none.
///
/// The swizzle repeats every 8 rows of its pitch. Where such a pattern does not start at a multiple of its size, the
/// base offset says at which of the address's 128-byte rows it does.
struct Descriptor {
  explicit Descriptor(u64 bits)
      : start((bits & 0x3fff) << 4),
        leading((bits >> 16 & 0x3fff) << 4),
        stride((bits >> 32 & 0x3fff) << 4),
        base_offset(static_cast<u32>(bits >> 49 & 7)) {
    const u64 mode = bits >> 62;
    pitch = mode == 1 ? 128 : mode == 2 ? 64 : mode == 3 ? 32 : 16;
    mask = mode == 1 ? 7 : mode == 2 ? 3 : mode == 3 ? 1 : 0;
  }
  u64 start, leading, stride;
  u32 base_offset;
  u32 pitch = 16;  ///< bytes between the rows of a core matrix
  u32 mask = 0;    ///< mask of the address bits from 7 on that are XORed onto the bits from 4 on

  u64 swizzled(u64 offset) const {
    const u64 address = start + offset;
    return address ^ (((address >> 7) - base_offset) & mask) << 4;
  }
  /// The base offset that the start address asks for.
  u32 expected_base_offset() const { return static_cast<u32>(start >> 7 & mask); }
  /// K-major: the 16 bytes of row `row` that start at byte 16 * chunk.
  u64 row_chunk(u32 row, u32 chunk) const {
    const u64 along = mask == 0 ? chunk * leading : chunk * 16;
    return swizzled(u64{row % 8} * pitch + row / 8 * stride + along);
  }
  /// MN-major, 16-bit elements: the 8 elements from 8 * group at k.
  u64 column_chunk(u32 group, u32 k) const {
    if (mask == 0) return swizzled(group * stride + u64{k % 8} * 16 + k / 8 * leading);
    const u32 groups = pitch / 16;
    return swizzled(u64{group % groups} * 16 + group / groups * leading + u64{k % 8} * pitch + k / 8 * stride);
  }
};

/// "Matrix Descriptor Format": the base offset is 0 for a pattern that starts at a multiple of its size, else bits 7 to
/// 9 of where it starts.
void check_descriptor(const Warp& w, Lanes mask, u64 bits) {
  const Descriptor d(bits);
  const u32 expected = d.expected_base_offset();
  if (((d.base_offset ^ expected) & d.mask) == 0) return;
  w.fail(Check::invalid, mask,
         "a matrix descriptor of " + std::to_string(d.pitch) + "-byte swizzle starts at " + std::to_string(d.start) +
             ", in row " + std::to_string(expected) + " of the pattern of " + std::to_string(8 * d.pitch) +
             " bytes: expected base offset " + std::to_string(expected) + ", found " + std::to_string(d.base_offset));
}

/// Reads one 16-byte chunk; notes whether all of it is defined.
const u8* fetch(const Warp& w, const Plan& plan, u64 address, bool& defined) {
  const SharedRange range = shared_range(w, *plan.instr, w.lanes, address, 16);
  const u8* data = read_shared_async(w, *plan.instr, w.lanes, plan.view, accessor_of(w, *plan.instr), range, 16, true);
  const u8* states = range.cta->shadow.state(range.offset);
  for (int i = 0; i < 16; ++i) defined &= states[i] == static_cast<u8>(ByteState::defined);
  return data;
}

template <class E>
float byte_element(const u8* chunk, u32 index) {
  constexpr u32 kBytes = 4 / E::kPerRegister;
  u32 bits = 0;
  std::memcpy(&bits, chunk + index * kBytes, kBytes);
  return E::get(bits, 0);
}

/// The 16 rows of A that belong to this warp. Returns one bit a row with undefined data.
template <class E, int K>
u32 load_a(Warp& w, const Plan& plan, SpreadA<K>& a) {
  const Instr& in = *plan.instr;
  u32 bad = 0;
  if ((in.flags & kARegisters) != 0) {
    const u32* registers[16];
    for (u32 i = 0; i < a_registers(in); ++i) registers[i] = plan.a_registers.data() + i * kWarpSize;
    spread_fragments<E, K, 2>(registers, a);
  } else {
    const Descriptor descriptor(plan.a);
    const u32 first = w.index % 4 * 16;
    float rows[16][K];
    if ((in.flags & kATransposed) != 0) {
      for (u32 k = 0; k < K; ++k) {
        for (u32 g = 0; g < 2; ++g) {
          bool defined = true;
          const u8* chunk = fetch(w, plan, descriptor.column_chunk(first / 8 + g, k), defined);
          for (u32 i = 0; i < 8; ++i) rows[8 * g + i][k] = byte_element<E>(chunk, i);
          if (!defined) bad |= 0xffu << 8 * g;
        }
      }
    } else {
      constexpr u32 kPerChunk = 4 * E::kPerRegister;
      for (u32 r = 0; r < 16; ++r) {
        for (u32 c = 0; c < K / kPerChunk; ++c) {
          bool defined = true;
          const u8* chunk = fetch(w, plan, descriptor.row_chunk(first + r, c), defined);
          for (u32 i = 0; i < kPerChunk; ++i) rows[r][c * kPerChunk + i] = byte_element<E>(chunk, i);
          if (!defined) bad |= 1u << r;
        }
      }
    }
    for (u32 h = 0; h < 2; ++h) {
      for (u32 k = 0; k < K; ++k) {
        for (u32 l = 0; l < kWarpSize; ++l) a.rows[h][k][l] = rows[8 * h + l / 4][k];
      }
    }
  }
  if ((in.flags & kNegate) != 0) {
    for (auto& half : a.rows) {
      for (auto& row : half) {
        for (float& v : row) v = -v;
      }
    }
  }
  return bad;
}

/// Eight columns of B. Returns one bit a column with undefined data.
template <class F, int K>
u32 load_b(Warp& w, const Plan& plan, const Descriptor& descriptor, u32 group, ColumnsB<K>& b) {
  u32 bad = 0;
  if ((plan.instr->flags & kBTransposed) != 0) {
    for (u32 k = 0; k < K; ++k) {
      bool defined = true;
      const u8* chunk = fetch(w, plan, descriptor.column_chunk(group, k), defined);
      for (u32 n = 0; n < 8; ++n) b.columns[k][n & 1][n >> 1] = byte_element<F>(chunk, n);
      if (!defined) bad = 0xff;
    }
    return bad;
  }
  constexpr u32 kPerChunk = 4 * F::kPerRegister;
  for (u32 n = 0; n < 8; ++n) {
    for (u32 c = 0; c < K / kPerChunk; ++c) {
      bool defined = true;
      const u8* chunk = fetch(w, plan, descriptor.row_chunk(8 * group + n, c), defined);
      for (u32 i = 0; i < kPerChunk; ++i) b.columns[c * kPerChunk + i][n & 1][n >> 1] = byte_element<F>(chunk, i);
      if (!defined) bad |= 1u << n;
    }
  }
  return bad;
}

/// Lanes whose element, or for pairs either of two, lies in a bad row or column.
Lanes bad_lanes(u32 rows, u32 columns, u32 h, u32 e, bool pair) {
  return bits_of([=](int l) {
    const u32 column = 2 * (static_cast<u32>(l) & 3);
    const u32 picked = pair ? 3u << column : 1u << (column + e);
    return (columns & picked) != 0 || (rows >> (8 * h + static_cast<u32>(l) / 4) & 1) != 0;
  });
}

// 9.7.15.7.1: wgmma.fence orders a wgmma's registers with what else modified them. A wait for wgmmas, a modification
// and the next wgmma, with no fence between, is reported. A modification after the fence is accepted: nvcc puts copies
// into the registers of inline assembly there, and ptxas waits for them. Contents tell what was modified: those at the
// fence are kept, and what wgmma itself has written since.

constexpr std::size_t kRegisterBytes = 4 * kWarpSize;

void remember(Frame& frame, const Arg& arg) {
  const std::size_t index = frame.program->fenced_index[arg.shadow];
  std::memcpy(frame.fenced.data() + index * kRegisterBytes, frame.registers + arg.at, kRegisterBytes);
}

void remember_results(const Plan& plan) {
  if (plan.frame->fenced.empty()) return;
  for (u32 i = 0; i < d_registers(*plan.instr); ++i) remember(*plan.frame, plan.instr->more[i]);
}

void check_fenced(Warp& w, const Arg& arg, const char* what) {
  const Frame& frame = *w.frame;
  if (w.mma_fenced_again || frame.fenced.empty() || arg.at < 0) return;
  const std::size_t index = frame.program->fenced_index[arg.shadow];
  if (std::memcmp(frame.fenced.data() + index * kRegisterBytes, frame.registers + arg.at, kRegisterBytes) == 0) return;
  w.fail(Check::async_not_waited, kAllLanes,
         std::string(what) + " of this wgmma.mma_async was modified after the last wait, with no wgmma.fence between");
}

template <class E, class F, int K, Accumulator kAcc>
void carry_out(Warp& w, const Plan& plan) {
  const Instr& in = *plan.instr;
  Frame& frame = *plan.frame;
  const Descriptor b_descriptor(plan.b);
  SpreadA<K> a;
  const u32 bad_rows = load_a<E, K>(w, plan, a);
  for (u32 group = 0; group < in.count; ++group) {
    ColumnsB<K> b;
    const u32 bad_columns = load_b<F, K>(w, plan, b_descriptor, group, b);
    alignas(64) float sums[4][kWarpSize];
    float* pointers[4];
    for (u32 i = 0; i < 4; ++i) {
      pointers[i] = sums[i];
      if constexpr (kAcc == kF32) {
        pointers[i] = reinterpret_cast<float*>(frame.registers + in.more[4 * group + i].at);
        if (!plan.accumulate) std::memset(pointers[i], 0, sizeof sums[i]);
      } else if constexpr (kAcc == kF16) {
        const auto* pair = reinterpret_cast<const u32*>(frame.registers + in.more[2 * group + i / 2].at);
        for (int l = 0; l < kWarpSize; ++l)
          sums[i][l] = plan.accumulate ? Half::to_float(static_cast<u16>(pair[l] >> 16 * (i % 2))) : 0.0f;
      } else {
        std::memset(sums[i], 0, sizeof sums[i]);
      }
    }
    multiply<K, 2>(a, b, pointers);
    for (u32 i = 0; i < (kAcc == kF16 ? 2u : 4u); ++i) {
      const Arg& d = in.more[(kAcc == kF16 ? 2 : 4) * group + i];
      if constexpr (kAcc == kF16) {
        auto* pair = reinterpret_cast<u32*>(frame.registers + d.at);
        for (int l = 0; l < kWarpSize; ++l) {
          pair[l] = static_cast<u32>(Half::from_float(sums[2 * i][l])) |
                    static_cast<u32>(Half::from_float(sums[2 * i + 1][l])) << 16;
        }
      } else if constexpr (kAcc == kS32) {
        auto* sum = reinterpret_cast<s32*>(frame.registers + d.at);
        for (int l = 0; l < kWarpSize; ++l) {
          const s64 exact = (plan.accumulate ? s64{sum[l]} : 0) + static_cast<s32>(sums[i][l]);
          const s64 high = std::numeric_limits<s32>::max(), low = std::numeric_limits<s32>::min();
          sum[l] = (in.flags & kSaturate) != 0 ? static_cast<s32>(exact > high  ? high
                                                                  : exact < low ? low
                                                                                : exact)
                                               : static_cast<s32>(exact);
        }
      }
      Lanes& undefined = frame.undefined_when_done[d.shadow];
      if (!plan.accumulate) undefined = 0;
      if ((bad_rows | bad_columns) != 0)
        undefined |= bad_lanes(bad_rows, bad_columns, kAcc == kF16 ? i : i / 2, i % 2, kAcc == kF16);
    }
  }
  remember_results(plan);
}

/// The accumulators may be touched from here on.
void publish(const Plan& plan) {
  const Instr& in = *plan.instr;
  Frame& frame = *plan.frame;
  for (u32 i = 0; i < d_registers(in); ++i) {
    const u16 shadow = in.more[i].shadow;
    --frame.pending_count;
    if (--frame.pending[shadow] != 0) continue;
    const Lanes bad = frame.undefined_when_done[shadow];
    frame.undefined[shadow] = frame.tainted[shadow] = bad;
    for (int l = 0; l < kWarpSize; ++l)
      frame.undefined_bytes[shadow * kWarpSize + static_cast<u32>(l)] = has(bad, l) ? 0xffff : 0;
  }
}

using CarryOut = void (*)(Warp&, const Plan&);

/// more's last entry is scale-d; before it the descriptors.
template <CarryOut kCarryOut>
void issue(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  if (mask != kAllLanes) w.fail(Check::divergent, mask, "wgmma needs whole warps");
  if (!w.mma_fenced) w.fail(Check::async_not_waited, mask, "wgmma.mma_async comes before any wgmma.fence");
  Frame& frame = *w.frame;
  const u32 nd = d_registers(in), na = a_registers(in);
  auto plan = std::make_shared<Plan>();
  plan->instr = &in;
  plan->frame = w.frame;
  const Arg* next = in.more + nd;
  if ((in.flags & kARegisters) != 0) {
    plan->a_registers.resize(na * kWarpSize);
    for (u32 i = 0; i < na; ++i, ++next) {
      if (frame.pending[next->shadow] != 0) w.check_pending(mask);
      w.require_defined(*next, mask, "an element of A");
      check_fenced(w, *next, "a register of A");
      std::memcpy(plan->a_registers.data() + i * kWarpSize, w.source<u32>(*next), 4 * kWarpSize);
    }
  } else {
    w.require_defined(*next, mask, "a matrix descriptor");
    plan->a = w.source<u64>(*next++)[0];
    check_descriptor(w, mask, plan->a);
  }
  w.require_defined(*next, mask, "a matrix descriptor");
  plan->b = w.source<u64>(*next++)[0];
  check_descriptor(w, mask, plan->b);
  w.require_defined(*next, mask, "scale-d");
  const Lanes scale = w.predicate(*next);
  if (scale != 0 && scale != kAllLanes) w.fail(Check::invalid, mask, "scale-d differs between the threads of a warp");
  plan->accumulate = scale != 0;
  plan->view = w.view;
  for (u32 i = 0; i < nd; ++i) {
    const u16 shadow = in.more[i].shadow;
    if (frame.pending[shadow] == 0) check_fenced(w, in.more[i], "an accumulator");
    if (frame.pending[shadow]++ == 0) frame.undefined_when_done[shadow] = frame.undefined[shadow];
    ++frame.pending_count;
    frame.undefined[shadow] = kAllLanes;
  }
  w.mmas.push_back(
      {w.mma_group, w.mmas_issued++, false, &in, [&w, plan] { kCarryOut(w, *plan); }, [plan] { publish(*plan); }});
}

// 9.7.15.7.1 wgmma.fence, 9.7.15.7.2 wgmma.commit_group, 9.7.15.7.3 wgmma.wait_group
void fence(Warp& w, const Instr&, Lanes mask) {
  if (!w.converged(mask)) return;
  w.mma_fenced = w.mma_fenced_again = true;
  Frame& frame = *w.frame;
  if (!w.cta->launch->settings.race_checks) return;
  frame.fenced.resize(frame.program->fenced.size() * kRegisterBytes);
  for (const Arg& arg : frame.program->fenced) remember(frame, arg);
}
void commit(Warp& w, const Instr&, Lanes mask) {
  if (!w.converged(mask)) return;
  ++w.mma_group;
}

/// The warps that issue wgmma together with `w`: four from a multiple of four on.
template <class F>
void each_of_warpgroup(Warp& w, F f) {
  auto& warps = w.cta->warps;
  const std::size_t first = w.index / 4 * 4;
  for (std::size_t i = first; i < std::min(first + 4, warps.size()); ++i) f(*warps[i]);
}

/// What one warp has waited for is complete in its whole warpgroup: its share cannot be done before the others have
/// issued theirs, and a thread that observes it may overwrite what all of them have read.
void wait(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  const auto left = static_cast<u32>(in.immediate);
  std::size_t done = 0;
  while (done < w.mmas.size() && w.mmas[done].group + left < w.mma_group) ++done;
  if (done == 0) return;
  const u64 issued = w.mmas[done - 1].number + 1;
  bool missing = false;
  each_of_warpgroup(w, [&](const Warp& other) { missing |= !other.finished() && other.mmas_issued < issued; });
  if (missing) {
    // Come again.
    --w.pc;
    w.yielded = true;
    return;
  }
  each_of_warpgroup(w, [&](Warp& other) {
    for (PendingMma& mma : other.mmas) {
      if (mma.computed || mma.number >= issued) continue;
      mma.compute();
      mma.computed = true;
    }
    if (&other == &w) return;
    w.view.generic.seen[other.index] = std::max(w.view.generic.seen[other.index], other.clock);
    other.tick();
  });
  w.mma_fenced_again = false;
  for (std::size_t i = 0; i < done; ++i) w.mmas[i].publish();
  w.mmas.erase(w.mmas.begin(), w.mmas.begin() + static_cast<std::ptrdiff_t>(done));
}

template <class E, class F, int K>
Handler pick(Accumulator acc) {
  if (acc == kF16) return issue<carry_out<E, F, K, kF16>>;
  return issue<carry_out<E, F, K, kF32>>;
}
template <class E, class F>
Handler pick_int() {
  return issue<carry_out<E, F, 32, kS32>>;
}

Handler pick(Decoder& d, Type a, Type b, Accumulator acc) {
  if (a == Type::f16 && b == a) return pick<ElementHalf, ElementHalf, 16>(acc);
  if (a == Type::bf16 && b == a && acc == kF32) return issue<carry_out<ElementBfloat, ElementBfloat, 16, kF32>>;
  if (a == Type::tf32 && b == a && acc == kF32) return issue<carry_out<ElementTf32, ElementTf32, 8, kF32>>;
  if (acc == kS32) {
    if (a == Type::s8) return b == Type::s8 ? pick_int<ElementS8, ElementS8>() : pick_int<ElementS8, ElementU8>();
    if (a == Type::u8) return b == Type::s8 ? pick_int<ElementU8, ElementS8>() : pick_int<ElementU8, ElementU8>();
  }
  if (a == Type::e4m3)
    return b == Type::e4m3 ? pick<ElementE4m3, ElementE4m3, 32>(acc) : pick<ElementE4m3, ElementE5m2, 32>(acc);
  if (a == Type::e5m2)
    return b == Type::e4m3 ? pick<ElementE5m2, ElementE4m3, 32>(acc) : pick<ElementE5m2, ElementE5m2, 32>(acc);
  d.unsupported("expected a combination of types that the virtual GPU knows");
}

/// Adds a register to those that wgmma.fence looks after.
void note_fenced(Program& program, const Arg& arg) {
  if (arg.at < 0) return;
  if (program.fenced_index.size() <= arg.shadow) program.fenced_index.resize(arg.shadow + 1u, kNotFenced);
  if (program.fenced_index[arg.shadow] != kNotFenced) return;
  program.fenced_index[arg.shadow] = static_cast<u16>(program.fenced.size());
  program.fenced.push_back(arg);
}

void decode_mma(Decoder& d, Instr& in) {
  const std::string shape(d.take_any());
  unsigned n = 0, k = 0;
  if (std::sscanf(shape.c_str(), "m64n%uk%u", &n, &k) != 2 || n % 8 != 0 || n < 8 || n > 256)
    d.unsupported("expected a shape m64nNkK");
  if (d.take("satfinite")) in.flags |= kSaturate;
  const Type dt = d.need_type(), at = d.need_type(), bt = d.need_type();
  const bool bytes = size_of(at) == 1;
  if (k != (bytes ? 32u : at == Type::tf32 ? 8u : 16u)) d.unsupported("expected 32 bytes of K");
  const Accumulator acc = dt == Type::f32 ? kF32 : dt == Type::f16 ? kF16 : kS32;
  in.count = static_cast<u8>(n / 8);
  in.kind = Kind::tensor;
  in.tensor_ops = 2 * 16 * n * k;  // a warp's share of the warpgroup's
  in.run = pick(d, at, bt, acc);
  const u32 nd = acc == kF16 ? n / 4 : n / 2;
  std::vector<Arg> args;
  const auto& results = d.operand(0).items;
  if (results.size() != nd) d.unsupported("expected " + std::to_string(nd) + " accumulators");
  for (const auto& item : results) args.push_back(d.destination(item, acc == kF16 ? Type::b32 : dt));
  const ptx::Operand& a = d.operand(1);
  u32 na = 0;
  if (a.kind == ptx::Operand::Kind::vector) {
    na = 4;
    if (a.items.size() != na) d.unsupported("expected 4 registers of A");
    for (const auto& item : a.items) args.push_back(d.source(item, Type::b32));
    in.flags |= kARegisters;
  } else {
    args.push_back(d.source(a, Type::b64));
  }
  args.push_back(d.source(d.operand(2), Type::b64));
  args.push_back(d.predicate(d.operand(3)));
  std::size_t at_operand = 4;
  if (at_operand < d.operand_count()) {
    const s64 scale_a = d.integer(d.operand(4)), scale_b = d.integer(d.operand(5));
    if (scale_a * scale_b < 0) in.flags |= kNegate;
    at_operand = 6;
    if (size_of(at) == 2 && at != Type::tf32) {
      if (na == 0 && d.integer(d.operand(at_operand++)) != 0) in.flags |= kATransposed;
      if (at_operand < d.operand_count() && d.integer(d.operand(at_operand++)) != 0) in.flags |= kBTransposed;
    }
  }
  if (at_operand != d.operand_count()) d.unsupported("expected " + std::to_string(at_operand) + " operands");
  for (std::size_t i = 0; i < nd + na; ++i) note_fenced(d.program(), args[i]);
  in.immediate = static_cast<s64>(nd | na << 16);
  d.set_more(in, args);
}

void decode(Decoder& d, Instr& in) {
  const std::string_view what = d.take_one_of({"mma_async", "fence", "commit_group", "wait_group"});
  d.take("sync");
  d.take("aligned");
  in.kind = Kind::async;
  if (what == "mma_async") {
    decode_mma(d, in);
  } else if (what == "wait_group") {
    in.immediate = d.integer(d.operand(0));
    in.run = wait;
  } else {
    in.run = what == "fence" ? fence : commit;
  }
}

}  // namespace

void add_wgmma(OpTable& table) { table["wgmma"] = decode; }

}  // namespace vgpu::VGPU_LEVEL
