// Asynchronous stores and reductions to shared memory of the cluster, which an mbarrier there hears of.
// PTX ISA, 9.7.9.12 st.async, 9.7.13.7 red.async.
#include "isa/addressing.h"
#include "isa/atomic_ops.h"
#include "isa/bulk_transfer.h"
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

/// a[0] address, a[1] the mbarrier's; their immediates in `immediate` and flags. more: the values. width: bytes of one;
/// count: how many. update: null for a store.
template <Update kUpdate>
void start(Warp& w, const Instr& in, Lanes mask) {
  alignas(64) u64 at[kWarpSize], barrier[kWarpSize];
  addresses(w, in.a[0], in.immediate, mask, at);
  addresses(w, in.a[1], static_cast<s32>(in.flags), mask, barrier);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const int l = std::countr_zero(rest);
    BulkCopy c;
    c.w = &w;
    c.in = &in;
    c.lane = Lanes{1} << l;
    c.view = w.view;
    c.shared = at[l] & ~kWindowMask;
    c.barrier = barrier[l] & ~kWindowMask;
    c.bytes = u32{in.count} * in.width;
    c.element = in.width;
    c.update = kUpdate;
    if (c.shared % c.bytes != 0)
      w.fail(Check::misaligned, c.lane,
             "an asynchronous access of " + std::to_string(c.bytes) + " bytes lies at a multiple of its size");
    BoxData data;
    for (u32 i = 0; i < in.count; ++i) {
      const u8* value = w.source<u8>(in.more[i]) + static_cast<u32>(l) * in.width;
      data.bytes.insert(data.bytes.end(), value, value + in.width);
      const LaneBytes b = lane_bytes(w, in.more[i], l);
      for (u32 k = 0; k < in.width; ++k) {
        data.states.push_back(static_cast<u8>((b.undefined >> k & 1) == 0 ? ByteState::defined
                                              : b.tainted                 ? ByteState::tainted
                                                                          : ByteState::undefined));
      }
    }
    start_arrival(c, rank_of(w, c.shared), [data = std::move(data)](const BulkCopy&, const Accessor&) { return data; });
  }
}

void take_common(Decoder& d, Instr& in, Type t) {
  in.kind = Kind::async;
  in.width = static_cast<u8>(size_of(t));
  in.a[0] = d.address(d.operand(0), ptx::Space::shared, in);
  Instr barrier;
  in.a[1] = d.address(d.operand(2), ptx::Space::shared, barrier);
  in.flags = static_cast<u32>(static_cast<s32>(barrier.immediate));
  std::vector<Arg> values;
  const ptx::Operand& list = d.operand(1);
  if (list.kind != ptx::Operand::Kind::vector) {
    values.push_back(d.source(list, t));
  } else {
    for (const auto& item : list.items) values.push_back(d.source(item, t));
  }
  if (values.size() != in.count) d.unsupported("expected " + std::to_string(in.count) + " values");
  d.set_more(in, values);
}

template <class T, class Op>
void apply(u8* memory, const u8* operand) {
  T b;
  std::memcpy(&b, operand, sizeof b);
  update_element<T, Op>(memory, b, T{});
}

}  // namespace

void decode_store_async(Decoder& d, Instr& in) {
  d.take("weak");
  take_space(d);
  if (!d.take("mbarrier::complete_tx::bytes")) d.unsupported("expected .mbarrier::complete_tx::bytes");
  const std::string_view vector = d.take_one_of({"v2", "v4"});
  in.count = vector.empty() ? 1 : static_cast<u8>(vector[1] - '0');
  const Type t = d.need_type();
  if (size_of(t) != 4 && size_of(t) != 8) d.unsupported("expected a type of 32 or 64 bits");
  take_common(d, in, t);
  in.run = start<nullptr>;
}

void decode_reduce_async(Decoder& d, Instr& in) {
  d.take("relaxed");
  d.take("cluster");
  take_space(d);
  if (!d.take("mbarrier::complete_tx::bytes")) d.unsupported("expected .mbarrier::complete_tx::bytes");
  const std::string_view op = d.take_one_of({"and", "or", "xor", "add", "inc", "dec", "min", "max"});
  const Type t = d.need_type();
  in.count = 1;
  take_common(d, in, t);
  in.run =
      is_float(t) ? nullptr : with_operation(op, t, []<class T, class Op>() -> Handler { return start<apply<T, Op>>; });
  if (in.run == nullptr) d.unsupported("expected an operation of red.async, and a type that it takes");
}

}  // namespace vgpu::VGPU_LEVEL
