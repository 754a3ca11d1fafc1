// Votes, shuffles and reductions across a warp. PTX ISA, 9.7.9.6 shfl.sync, 9.7.13.7 vote.sync, 9.7.13.8 match.sync,
// 9.7.13.9 activemask, 9.7.13.10 redux.sync, 9.7.13.14 elect.sync.
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

/// Runs f(group) for the lanes that give the same membermask, once all its members are here; the others wait.
template <class F>
void together(Warp& w, const Arg& membermask, Lanes mask, F f) {
  w.require_defined(membermask, mask, "a membermask");
  const u32* members = w.source<u32>(membermask);
  while (mask != 0) {
    const u32 group = members[std::countr_zero(mask)];
    const Lanes same = mask & bits_of([&](int l) { return members[l] == group; });
    if ((same & ~group) != 0) w.fail(Check::invalid, same & ~group, "a thread is not in the membermask that it gives");
    mask &= ~same;
    if ((group & w.lanes & ~w.exited & ~same) != 0) {
      w.wait_here(same, Fragment::State::warp_sync, group);
    } else {
      ++w.meetings;
      f(same);
    }
  }
}

/// All lanes of the group are undefined where one source is.
Lanes spread(Lanes undefined, Lanes group) { return (undefined & group) != 0 ? group : 0; }

// 9.7.13.7; also the deprecated vote without .sync is refused.
void vote(Warp& w, const Instr& in, Lanes mask) {
  together(w, in.a[2], mask, [&](Lanes group) {
    const Lanes p = w.predicate(in.a[1]) & group;
    const Lanes undefined = spread(w.undefined_in(in.a[1]), group);
    if (in.count == 3) {
      for_lanes(w.at<u32>(in.a[0]), group, [=](int) { return p; });
    } else {
      const bool result = in.count == 0 ? p == group : in.count == 1 ? p != 0 : p == 0 || p == group;
      w.set_predicate(in.a[0], group, result ? kAllLanes : 0);
    }
    w.define(in.a[0], group, undefined);
  });
}

void activemask(Warp& w, const Instr& in, Lanes mask) {
  for_lanes(w.at<u32>(in.a[0]), mask, [=](int) { return mask; });
  w.define(in.a[0], mask, 0);
}

// 9.7.13.14: the lowest lane of the mask leads.
void elect(Warp& w, const Instr& in, Lanes mask) {
  together(w, in.a[2], mask, [&](Lanes group) {
    const auto leader = static_cast<u32>(std::countr_zero(group));
    for_lanes(w.at<u32>(in.a[0]), group, [=](int) { return leader; });
    w.define(in.a[0], group, 0);
    w.set_predicate(in.a[1], group, Lanes{1} << leader);
    w.define(in.a[1], group, 0);
  });
}

// 9.7.9.6: a[0] result, a[1] predicate, a[2] value; more: b, c, membermask. `count`: 0 up, 1 down, 2 bfly, 3 idx.
void shfl(Warp& w, const Instr& in, Lanes mask) {
  together(w, in.more[2], mask, [&](Lanes group) {
    w.require_defined(in.more[0], group, "a shuffle's lane");
    w.require_defined(in.more[1], group, "a shuffle's clamp");
    const u32* b = w.source<u32>(in.more[0]);
    const u32* c = w.source<u32>(in.more[1]);
    alignas(64) u32 values[kWarpSize];
    u32 from[kWarpSize];
    std::memcpy(values, w.source<u32>(in.a[2]), sizeof values);
    Lanes valid = 0;
    for (int l = 0; l < kWarpSize; ++l) {
      const int lane = l & 31, segment = static_cast<int>(c[l] >> 8 & 31), clamp = static_cast<int>(c[l] & 31);
      const int highest = (lane & segment) | (clamp & ~segment & 31), lowest = lane & segment,
                delta = static_cast<int>(b[l] & 31);
      int j = 0;
      bool p = false;
      switch (in.count) {
        case 0:
          j = lane - delta;
          p = j >= highest;
          break;
        case 1:
          j = lane + delta;
          p = j <= highest;
          break;
        case 2:
          j = lane ^ delta;
          p = j <= highest;
          break;
        default:
          j = lowest | (delta & ~segment & 31);
          p = j <= highest;
          break;
      }
      from[l] = static_cast<u32>(p ? j : lane) & 31;
      valid |= static_cast<Lanes>(p ? 1 : 0) << l;
    }
    const Lanes source_undefined = w.undefined_in(in.a[2]) | ~group;
    LaneBytes before[kWarpSize];
    const bool some = ((source_undefined | w.undefined_in(in.a[0])) & group) != 0 || group != kAllLanes;
    if (some) {
      w.check_pending(group);
      for (int l = 0; l < kWarpSize; ++l) {
        // A lane that takes no part has nothing to give.
        before[l] = has(group, l) ? lane_bytes(w, in.a[2], l) : LaneBytes{15, true};
      }
    }
    for_lanes(w.at<u32>(in.a[0]), group, [&](int l) { return values[from[l]]; });
    for (int l = 0; some && l < kWarpSize; ++l) {
      if (has(group, l)) w.set_undefined_bytes(in.a[0], l, before[from[l]].undefined, before[from[l]].tainted);
    }
    if (in.a[1].bytes != 0) {
      w.set_predicate(in.a[1], group, valid);
      w.define(in.a[1], group, 0);
    }
  });
}

// 9.7.13.8
template <class T>
void match(Warp& w, const Instr& in, Lanes mask) {
  together(w, in.a[3], mask, [&](Lanes group) {
    T a[kWarpSize];
    std::memcpy(a, w.source<T>(in.a[2]), sizeof a);
    const Lanes undefined = spread(w.undefined_in(in.a[2]), group);
    u32 result[kWarpSize];
    for (int l = 0; l < kWarpSize; ++l) result[l] = group & bits_of([&](int k) { return a[k] == a[l]; });
    if (in.count == 0) {
      for_lanes(w.at<u32>(in.a[0]), group, [&](int l) { return result[l]; });
    } else {
      const bool all = result[std::countr_zero(group)] == group;
      for_lanes(w.at<u32>(in.a[0]), group, [=](int) { return all ? group : 0; });
      if (in.a[1].bytes != 0) {
        w.set_predicate(in.a[1], group, all ? kAllLanes : 0);
        w.define(in.a[1], group, undefined);
      }
    }
    w.define(in.a[0], group, undefined);
  });
}

// 9.7.13.10
template <class T, class F>
void reduce(Warp& w, const Instr& in, Lanes mask, F f) {
  together(w, in.a[2], mask, [&](Lanes group) {
    const T* a = w.source<T>(in.a[1]);
    T result = a[std::countr_zero(group)];
    for (Lanes rest = group & (group - 1); rest != 0; rest &= rest - 1) result = f(result, a[std::countr_zero(rest)]);
    const Lanes undefined = spread(w.undefined_in(in.a[1]), group);
    for_lanes(w.at<T>(in.a[0]), group, [=](int) { return result; });
    w.define(in.a[0], group, undefined);
  });
}

void decode_vote(Decoder& d, Instr& in) {
  if (!d.take("sync")) d.unsupported("expected vote.sync");
  const std::string_view mode = d.take_one_of({"all", "any", "uni", "ballot"});
  in.count = mode == "all" ? 0 : mode == "any" ? 1 : mode == "uni" ? 2 : 3;
  const Type t = d.need_type();
  in.a[0] = d.destination(d.operand(0), t);
  in.a[1] = d.predicate(d.operand(1));
  in.a[2] = d.source(d.operand(2), Type::b32);
  in.run = vote;
}

void decode_activemask(Decoder& d, Instr& in) {
  d.need_type();
  in.a[0] = d.destination(d.operand(0), Type::b32);
  in.run = activemask;
}

void decode_elect(Decoder& d, Instr& in) {
  d.take("sync");
  const ptx::Operand& result = d.operand(0);
  if (result.kind != ptx::Operand::Kind::pair) d.unsupported("expected d|p");
  in.a[0] = d.destination(result.items[0], Type::b32);
  in.a[1] = d.destination(result.items[1], Type::pred);
  in.a[2] = d.source(d.operand(1), Type::b32);
  in.run = elect;
}

void decode_shfl(Decoder& d, Instr& in) {
  if (!d.take("sync")) d.unsupported("expected shfl.sync");
  const std::string_view mode = d.take_one_of({"up", "down", "bfly", "idx"});
  in.count = mode == "up" ? 0 : mode == "down" ? 1 : mode == "bfly" ? 2 : 3;
  d.need_type();
  const ptx::Operand& result = d.operand(0);
  if (result.kind == ptx::Operand::Kind::pair) {
    in.a[0] = d.destination(result.items[0], Type::b32);
    in.a[1] = d.destination(result.items[1], Type::pred);
  } else {
    in.a[0] = d.destination(result, Type::b32);
  }
  in.a[2] = d.source(d.operand(1), Type::b32);
  d.set_more(in,
             {d.source(d.operand(2), Type::b32), d.source(d.operand(3), Type::b32), d.source(d.operand(4), Type::b32)});
  in.run = shfl;
}

void decode_match(Decoder& d, Instr& in) {
  in.count = d.take_one_of({"any", "all"}) == "any" ? 0 : 1;
  d.take("sync");
  const Type t = d.need_type();
  const ptx::Operand& result = d.operand(0);
  if (result.kind == ptx::Operand::Kind::pair) {
    in.a[0] = d.destination(result.items[0], Type::b32);
    in.a[1] = d.destination(result.items[1], Type::pred);
  } else {
    in.a[0] = d.destination(result, Type::b32);
  }
  in.a[2] = d.source(d.operand(1), t);
  in.a[3] = d.source(d.operand(2), Type::b32);
  in.run = size_of(t) == 8 ? match<u64> : match<u32>;
}

void decode_redux(Decoder& d, Instr& in) {
  d.take("sync");
  const std::string_view op = d.take_one_of({"add", "min", "max", "and", "or", "xor"});
  const Type t = d.need_type();
  if (size_of(t) != 4 || is_float(t)) d.unsupported("expected a 32-bit integer type");
  take_operands(d, in, t, {t, Type::b32});
  const bool sign = is_signed(t);
  if (op == "add")
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<u32>(w, i, m, [](u32 a, u32 b) { return a + b; }); };
  if (op == "and")
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<u32>(w, i, m, [](u32 a, u32 b) { return a & b; }); };
  if (op == "or")
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<u32>(w, i, m, [](u32 a, u32 b) { return a | b; }); };
  if (op == "xor")
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<u32>(w, i, m, [](u32 a, u32 b) { return a ^ b; }); };
  if (op == "min" && sign)
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<s32>(w, i, m, [](s32 a, s32 b) { return a < b ? a : b; }); };
  if (op == "max" && sign)
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<s32>(w, i, m, [](s32 a, s32 b) { return a > b ? a : b; }); };
  if (op == "min" && !sign)
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<u32>(w, i, m, [](u32 a, u32 b) { return a < b ? a : b; }); };
  if (op == "max" && !sign)
    in.run = [](Warp& w, const Instr& i, Lanes m) { reduce<u32>(w, i, m, [](u32 a, u32 b) { return a > b ? a : b; }); };
}

}  // namespace

void add_warp_wide(OpTable& table) {
  table["vote"] = decode_vote;
  table["activemask"] = decode_activemask;
  table["elect"] = decode_elect;
  table["shfl"] = decode_shfl;
  table["match"] = decode_match;
  table["redux"] = decode_redux;
}

}  // namespace vgpu::VGPU_LEVEL
