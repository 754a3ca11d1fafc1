// Control flow. PTX ISA, 9.7.12 "Control Flow Instructions", 9.7.19 "Miscellaneous Instructions".
#include <algorithm>
#include <cstdio>

#include "isa/addressing.h"
#include "isa/families.h"
#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {
namespace {

// 9.7.12.2 bra
void bra(Warp& w, const Instr& in, Lanes mask) {
  const auto target = static_cast<u32>(in.immediate);
  if (mask == w.active) {
    w.pc = target;
    // A fragment may stand where the branch leads, or be passed by it.
    if (w.pc >= w.stop_pc) w.leave = true;
    return;
  }
  w.split(mask, target);
}

// 9.7.12.3 brx.idx
void brx(Warp& w, const Instr& in, Lanes mask) {
  w.require_defined(in.a[1], mask, "a branch's index");
  const u32* index = w.source<u32>(in.a[1]);
  const Lanes outside = mask & bits_of([&](int l) { return index[l] >= in.more_count; });
  if (outside != 0) w.fail(Check::invalid, outside, "the index is behind the list of branch targets");
  for (u32 i = 0; i < in.more_count; ++i) {
    const Lanes here = mask & bits_of([&](int l) { return index[l] == i; });
    if (here != 0) w.split(here, static_cast<u32>(in.more[i].at));
  }
}

// 9.7.12.4 call: arguments and results travel through the .param spaces of the two frames.

void copy_params(const Frame& from, u32 from_offset, Frame& to, u32 to_offset, u32 bytes, Lanes mask) {
  for (int l = 0; l < kWarpSize; ++l) {
    if (!has(mask, l)) continue;
    const std::size_t a = static_cast<std::size_t>(l) * from.program->param_bytes + from_offset;
    const std::size_t b = static_cast<std::size_t>(l) * to.program->param_bytes + to_offset;
    std::memcpy(to.params.data() + b, from.params.data() + a, bytes);
    std::memcpy(to.params_undefined.data() + b, from.params_undefined.data() + a, bytes);
  }
}

/// more[0 .. results) are the results' places in the caller, then the arguments'. flags: how many results.
void enter(Warp& w, const Instr& in, Lanes mask, const Program* callee) {
  auto frame = std::make_shared<Frame>(*callee, w.frame);
  if (frame->depth > 64) w.fail(Check::invalid, mask, "calls are nested deeper than 64");
  frame->call = &in;
  frame->return_pc = w.pc;
  frame->local_base = w.frame->local_base + (w.frame->program->local_bytes + 15) / 16 * 16;
  for (u32 i = in.flags; i < in.more_count; ++i) {
    const ParamSlot& slot = callee->parameters[i - in.flags];
    copy_params(*w.frame, static_cast<u32>(in.more[i].at), *frame, slot.offset, slot.bytes, mask);
  }
  fill_specials(w, *frame);
  frame->allocated = w.allocated;
  w.waiting.push_back({std::move(frame), 0, mask, Fragment::State::ready, 0});
  // The other lanes continue here; those that called return to the instruction after the call.
  w.active &= ~mask;
  w.leave = true;
}

void call(Warp& w, const Instr& in, Lanes mask) {
  enter(w, in, mask, reinterpret_cast<const Program*>(static_cast<std::uintptr_t>(in.immediate)));
}

/// Through a register: a[1] holds each lane's function.
void call_indirect(Warp& w, const Instr& in, Lanes mask) {
  w.require_defined(in.a[1], mask, "the address of a function");
  const u64* target = w.source<u64>(in.a[1]);
  while (mask != 0) {
    const u64 address = target[std::countr_zero(mask)];
    const Lanes same = mask & bits_of([=](int l) { return target[l] == address; });
    mask &= ~same;
    const Program* callee = w.cta->launch->module.function_at(address);
    if (callee == nullptr) w.fail(Check::invalid, same, "a call of what is no function of the module");
    if (callee->results.size() != in.flags || callee->parameters.size() != in.more_count - in.flags)
      w.fail(Check::invalid, same, "a call of " + callee->name + ", which takes other parameters");
    enter(w, in, same, callee);
  }
}

// 9.7.12.5 ret, 9.7.12.6 exit
void ret(Warp& w, const Instr&, Lanes mask) {
  if (w.frame->parent == nullptr) {
    w.exit_lanes(mask);
    return;
  }
  const Frame& from = *w.frame;
  const Instr& site = *from.call;
  for (u32 i = 0; i < site.flags; ++i) {
    const ParamSlot& slot = from.program->results[i];
    copy_params(from, slot.offset, *from.parent, static_cast<u32>(site.more[i].at), slot.bytes, mask);
  }
  for (u32 l = 0; l < kWarpSize; ++l) {
    if (has(mask, static_cast<int>(l))) w.allocated[l] = from.allocated[l];
  }
  w.waiting.push_back({from.parent, from.return_pc, mask, Fragment::State::ready, 0});
  w.active &= ~mask;
  w.leave = true;
}
void exit_thread(Warp& w, const Instr&, Lanes mask) { w.exit_lanes(mask); }

// 9.7.19.4 trap, 9.7.19.1 brkpt
void trap(Warp& w, const Instr&, Lanes mask) { w.fail(Check::trap, mask, "the kernel stopped itself"); }

/// Reads a NUL-terminated string from device memory.
std::string read_string(const Warp& w, u64 address) {
  const Memory& memory = w.cta->launch->memory;
  std::string text;
  while (memory.covers(address, 1)) {
    const char c = *reinterpret_cast<const char*>(address++);
    if (c == '\0') break;
    text += c;
  }
  return text;
}

/// The device library's vprintf: the format, and the arguments one after another in local memory.
/// CUDA C++ Programming Guide, "Formatted Output".
void print(Warp& w, const Instr& in, Lanes mask) {
  const Frame& f = *w.frame;
  for (int l = 0; l < kWarpSize; ++l) {
    if (!has(mask, l)) continue;
    u64 format = 0, list = 0;
    const u8* params = f.params.data() + static_cast<std::size_t>(l) * f.program->param_bytes;
    std::memcpy(&format, params + in.more[in.flags].at, 8);
    std::memcpy(&list, params + in.more[in.flags + 1].at, 8);
    const std::string text = read_string(w, format);
    std::string out;
    std::size_t next = list & ~kWindowMask;
    const auto argument = [&](u32 bytes) {
      next = (next + bytes - 1) / bytes * bytes;
      u64 value = 0;
      if (next + bytes <= w.stack_bytes)
        std::memcpy(&value, w.local.data() + static_cast<std::size_t>(l) * w.stack_bytes + next, bytes);
      next += bytes;
      return value;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        out += text[i];
        continue;
      }
      std::size_t end = text.find_first_of("diouxXfFeEgGaAcsp%", i + 1);
      if (end == std::string::npos) break;
      const std::string spec = text.substr(i, end - i + 1);
      char buffer[256] = "";
      const bool wide = spec.find('l') != std::string::npos;
      switch (text[end]) {
        case '%':
          std::snprintf(buffer, sizeof buffer, "%%");
          break;
        case 's':
          out += read_string(w, argument(8));
          break;
        case 'f':
        case 'F':
        case 'e':
        case 'E':
        case 'g':
        case 'G':
        case 'a':
        case 'A':
          std::snprintf(buffer, sizeof buffer, spec.c_str(), std::bit_cast<double>(argument(8)));
          break;
        case 'p':
          std::snprintf(buffer, sizeof buffer, "0x%llx", static_cast<unsigned long long>(argument(8)));
          break;
        default:
          if (wide) {
            std::snprintf(buffer, sizeof buffer, spec.c_str(), argument(8));
          } else {
            std::snprintf(buffer, sizeof buffer, spec.c_str(), static_cast<u32>(argument(4)));
          }
      }
      out += buffer;
      i = end;
    }
    const std::lock_guard lock(w.cta->launch->output_mutex);
    w.cta->launch->output += out;
  }
}
/// The device library's assertion: message, file, line, function.
void assert_failed(Warp& w, const Instr& in, Lanes mask) {
  const int l = std::countr_zero(mask);
  const u8* params = w.frame->params.data() + static_cast<std::size_t>(l) * w.frame->program->param_bytes;
  u64 message = 0, file = 0;
  u32 line = 0;
  std::memcpy(&message, params + in.more[in.flags].at, 8);
  std::memcpy(&file, params + in.more[in.flags + 1].at, 8);
  std::memcpy(&line, params + in.more[in.flags + 2].at, 4);
  w.fail(
      Check::trap, mask,
      read_string(w, file) + ":" + std::to_string(line) + ": the assertion `" + read_string(w, message) + "` failed");
}

// 9.7.19.2 nanosleep: others go first.
void nanosleep(Warp& w, const Instr&, Lanes) { w.leave = true; }

void decode_bra(Decoder& d, Instr& in) {
  d.take("uni");
  if (d.operand_count() > 0) d.branch_target(d.operand(0).name, in);
  in.run = bra;
  in.kind = Kind::control;
}

void decode_brx(Decoder& d, Instr& in) {
  if (!d.take("idx")) d.unsupported("expected brx.idx");
  d.take("uni");
  in.a[1] = d.source(d.operand(0), Type::u32);
  d.branch_table(d.branch_targets(d.operand(1).name), in);
  in.run = brx;
  in.kind = Kind::control;
}

void decode_call(Decoder& d, Instr& in) {
  d.take("uni");
  in.kind = Kind::control;
  std::size_t at = 0;
  std::vector<Arg> places;
  const auto take_list = [&](const ptx::Operand& list) {
    for (const auto& item : list.items) {
      Arg place;
      place.at = static_cast<s32>(d.param_slot(item).offset);
      places.push_back(place);
    }
  };
  if (d.operand(0).kind == ptx::Operand::Kind::vector) take_list(d.operand(at++));
  in.flags = static_cast<u32>(places.size());
  const ptx::Operand& function = d.operand(at++);
  const std::string& name = function.name;
  if (at < d.operand_count() && d.operand(at).kind == ptx::Operand::Kind::vector) take_list(d.operand(at++));
  d.set_more(in, places);
  // A prototype or a list of targets follows where a register names the function.
  if (at + 1 == d.operand_count()) {
    in.a[1] = d.source(function, Type::u64);
    d.program().calls_indirectly = true;
    in.run = call_indirect;
    return;
  }
  if (at != d.operand_count()) d.unsupported("expected a function, its arguments and a prototype");
  if (const Program* callee = d.callee(name)) {
    in.immediate = static_cast<s64>(reinterpret_cast<std::uintptr_t>(callee));
    in.run = call;
  } else if (name == "vprintf") {
    in.run = print;
  } else if (name == "__assertfail") {
    in.run = assert_failed;
  } else {
    d.unsupported("expected a function of the module, found '" + name + "'");
  }
}

void decode_ret(Decoder& d, Instr& in) {
  d.take("uni");
  in.run = ret;
  in.kind = Kind::control;
}
void decode_exit(Decoder&, Instr& in) {
  in.run = exit_thread;
  in.kind = Kind::control;
}
void decode_trap(Decoder&, Instr& in) {
  in.run = trap;
  in.kind = Kind::control;
}
void decode_nanosleep(Decoder& d, Instr& in) {
  d.need_type();
  in.run = nanosleep;
  in.kind = Kind::control;
}
// 9.7.16: alloca, stacksave, stackrestore. The stack grows upwards here.
void allocate(Warp& w, const Instr& in, Lanes mask) {
  w.require_defined(in.a[1], mask, "the size of a local allocation");
  const u64* bytes = w.source<u64>(in.a[1]);
  const u32 first = w.stack_bytes - kDynamicStack;
  u64* d = w.at<u64>(in.a[0]);
  for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
    const u32 l = static_cast<u32>(std::countr_zero(rest));
    const u64 alignment = static_cast<u64>(in.immediate);
    const u64 at = (first + w.allocated[l] + alignment - 1) / alignment * alignment;
    const u64 end = at + bytes[l];
    if (bytes[l] > kDynamicStack || end > w.stack_bytes)
      w.fail(Check::out_of_bounds, Lanes{1} << l,
             "alloca of " + std::to_string(bytes[l]) + " bytes, of which a thread has " +
                 std::to_string(kDynamicStack) + " on the virtual GPU");
    std::memset(w.local_states.data() + std::size_t{l} * w.stack_bytes + at, static_cast<int>(ByteState::undefined),
                bytes[l]);
    w.allocated[l] = static_cast<u32>(end) - first;
    d[l] = at;
  }
  w.define(in.a[0], mask, 0);
}
void decode_alloca(Decoder& d, Instr& in) {
  if (d.need_type() != Type::u64) d.unsupported("expected .u64");
  in.a[0] = d.destination(d.operand(0), Type::u64);
  in.a[1] = d.source(d.operand(1), Type::u64);
  in.immediate = d.operand_count() > 2 ? d.integer(d.operand(2)) : 8;
  if (in.immediate < 1 || (in.immediate & (in.immediate - 1)) != 0) d.unsupported("expected a power of two");
  d.program().allocates = true;
  in.run = allocate;
  in.kind = Kind::control;
}
void decode_stacksave(Decoder& d, Instr& in) {
  if (d.need_type() != Type::u64) d.unsupported("expected .u64");
  in.a[0] = d.destination(d.operand(0), Type::u64);
  in.kind = Kind::control;
  in.run = [](Warp& w, const Instr& i, Lanes mask) {
    for_lanes(w.at<u64>(i.a[0]), mask, [&](int l) { return u64{w.allocated[static_cast<u32>(l)]}; });
    w.define(i.a[0], mask, 0);
  };
}
void decode_stackrestore(Decoder& d, Instr& in) {
  if (d.need_type() != Type::u64) d.unsupported("expected .u64");
  in.a[0] = d.source(d.operand(0), Type::u64);
  in.kind = Kind::control;
  in.run = [](Warp& w, const Instr& i, Lanes mask) {
    w.require_defined(i.a[0], mask, "a saved stack pointer");
    for (Lanes rest = mask; rest != 0; rest &= rest - 1) {
      const u32 l = static_cast<u32>(std::countr_zero(rest));
      const u64 saved = w.source<u64>(i.a[0])[l];
      if (saved > w.allocated[l]) w.fail(Check::invalid, Lanes{1} << l, "this is no saved stack pointer");
      w.allocated[l] = static_cast<u32>(saved);
    }
  };
}

void decode_pmevent(Decoder& d, Instr&) { d.take("mask"); }

// 9.7.12.7 griddepcontrol: a launch starts when what it depends on has ended, so there is nothing to wait for; the
// checks of global memory learn when a programmatic dependent launch is ordered after the grids in front of it.
void grids_wait(Warp& w, const Instr&, Lanes) {
  w.view.grids_waited = true;
  if (const WorkOrder* order = w.cta->launch->global.work()) order->waited = true;
}
void grids_release(Warp& w, const Instr&, Lanes) {
  const WorkOrder* order = w.cta->launch->global.work();
  if (order != nullptr) (w.view.grids_waited ? order->released_after_wait : order->released_before_wait) = true;
}
void decode_griddepcontrol(Decoder& d, Instr& in) {
  in.run = d.take_one_of({"launch_dependents", "wait"}) == "wait" ? grids_wait : grids_release;
}

// 9.7.19.5 setmaxnreg
void set_max_registers(Warp& w, const Instr& in, Lanes mask) {
  if (!w.converged(mask)) return;
  if (w.cta->register_pool.set(w, in, in.flags != 0, static_cast<u32>(in.immediate))) return;
  // Come again.
  --w.pc;
  w.yielded = true;
}
void decode_setmaxnreg(Decoder& d, Instr& in) {
  in.flags = d.take_one_of({"inc", "dec"}) == "inc" ? 1 : 0;
  d.take("sync");
  d.take("aligned");
  d.need_type();
  const s64 n = d.integer(d.operand(0));
  if (n < 24 || n > 256 || n % 8 != 0) d.unsupported("expected a multiple of 8 from 24 to 256");
  in.kind = Kind::control;
  in.immediate = n;
  in.run = set_max_registers;
}

}  // namespace

void add_control(OpTable& table) {
  table["bra"] = decode_bra;
  table["brx"] = decode_brx;
  table["call"] = decode_call;
  table["ret"] = decode_ret;
  table["exit"] = decode_exit;
  table["trap"] = decode_trap;
  table["brkpt"] = decode_trap;
  table["nanosleep"] = decode_nanosleep;
  table["alloca"] = decode_alloca;
  table["stacksave"] = decode_stacksave;
  table["stackrestore"] = decode_stackrestore;
  table["pmevent"] = decode_pmevent;
  table["griddepcontrol"] = decode_griddepcontrol;
  table["setmaxnreg"] = decode_setmaxnreg;
}

}  // namespace vgpu::VGPU_LEVEL
