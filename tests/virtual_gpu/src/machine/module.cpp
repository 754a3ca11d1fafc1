#include "machine/module.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "machine/decoder.h"
#include "ptx/parser.h"

namespace vgpu {
namespace {

std::uint64_t align(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

constexpr std::uint64_t kFunctionStride = 256;

/// Local memory of a function and the deepest chain of calls below it; recursion gets a fixed allowance. An indirect
/// call may reach any device function.
std::uint32_t stack_of(const Program& program, const std::vector<const Program*>& functions,
                       std::vector<const Program*>& chain) {
  constexpr std::uint32_t kRecursion = 16384;
  if (std::find(chain.begin(), chain.end(), &program) != chain.end()) return kRecursion;
  chain.push_back(&program);
  std::uint32_t deepest = 0;
  for (const Program* callee : program.calls_indirectly ? functions : program.callees) {
    deepest = std::max(deepest, stack_of(*callee, functions, chain));
  }
  chain.pop_back();
  return static_cast<std::uint32_t>(align(program.local_bytes, 16)) + deepest;
}

}  // namespace

Module::Module(Memory& memory, std::string_view ptx_text) : memory_(memory), source_(ptx::parse(ptx_text)) {
  for (const auto& function : source_.functions) {
    if (!function.has_body) continue;
    const auto& program = programs_[function.name] = std::make_unique<Program>();
    if (function.is_entry) continue;
    functions_.push_back(program.get());
    symbols_[function.name] = {ptx::Space::generic, kFunctionWindow + functions_.size() * kFunctionStride, 0};
  }
  place_variables();
  const Decoder::Context context{&source_, &symbols_, &programs_, static_shared_};
  for (const auto& function : source_.functions) {
    if (!function.has_body) continue;
    Program& program = *programs_[function.name];
    Decoder(context, function, program).run();
    program.first_count = instructions_;
    instructions_ += static_cast<std::uint32_t>(program.code.size());
  }
  for (auto& [name, program] : programs_) link(*program);
}

Module::~Module() {
  for (const auto& [name, symbol] : symbols_) {
    if (symbol.space != ptx::Space::shared && symbol.space != ptx::Space::generic && symbol.address != 0)
      memory_.release(symbol.address);
  }
}

void Module::link(Program& program) {
  std::vector<const Program*> chain;
  program.static_stack = stack_of(program, functions_, chain);
  // alloca's memory follows.
  const bool dynamic =
      std::any_of(programs_.begin(), programs_.end(), [](const auto& p) { return p.second->allocates; });
  program.stack_bytes = program.static_stack + (dynamic ? kDynamicStack : 0);
}

void Module::place_variables() {
  for (const auto& v : source_.variables) {
    if (v.space == ptx::Space::shared) {
      if (v.is_extern) continue;
      static_shared_ = static_cast<std::uint32_t>(align(static_shared_, v.aligned_to()));
      symbols_[v.name] = {v.space, kSharedBase + static_shared_, v.bytes()};
      static_shared_ += static_cast<std::uint32_t>(v.bytes());
    } else if (!v.is_extern) {
      const std::uint64_t address =
          memory_.allocate(std::max<std::uint64_t>(v.bytes(), 1), std::max<std::uint64_t>(v.aligned_to(), 256));
      if (address == 0) throw Error("expected device memory for the module's variable " + v.name + ", found none left");
      symbols_[v.name] = {v.space, address, v.bytes()};
    }
  }
  for (const auto& v : source_.variables) {
    if (v.space != ptx::Space::shared && !v.is_extern) fill(v, symbols_[v.name].address);
  }
}

void Module::fill(const ptx::Variable& v, std::uint64_t address) {
  // PTX ISA, 5.4.4: what no initialiser covers is zero.
  std::vector<std::uint8_t> bytes(v.bytes(), 0);
  const std::uint32_t size = size_of(v.type);
  for (std::size_t i = 0; i < v.initial.size() && (i + 1) * size <= bytes.size(); ++i) {
    const ptx::Initialiser& element = v.initial[i];
    std::uint64_t bits = static_cast<std::uint64_t>(element.integer);
    if (!element.symbol.empty()) {
      const auto symbol = symbols_.find(element.symbol);
      if (symbol == symbols_.end()) {
        throw Error("expected the address of a variable of the module in the initialiser of " + v.name + ", found " +
                    element.symbol);
      }
      bits = symbol->second.address + static_cast<std::uint64_t>(element.integer);
    } else if (element.is_real) {
      bits = size == 8 ? std::bit_cast<std::uint64_t>(element.real)
                       : std::bit_cast<std::uint32_t>(static_cast<float>(element.real));
    }
    std::memcpy(bytes.data() + i * size, &bits, size);
  }
  memory_.write(address, bytes.data(), bytes.size());
}

const Program* Module::entry(std::string_view name) const {
  const auto it = programs_.find(std::string(name));
  return it != programs_.end() && it->second->is_entry ? it->second.get() : nullptr;
}

const Symbol* Module::variable(std::string_view name) const {
  const auto it = symbols_.find(std::string(name));
  if (it == symbols_.end()) return nullptr;
  const bool in_memory = it->second.space != ptx::Space::shared && it->second.space != ptx::Space::generic;
  return in_memory ? &it->second : nullptr;
}

const Program* Module::function_at(std::uint64_t address) const {
  const std::uint64_t offset = address - kFunctionWindow, index = offset / kFunctionStride;
  return offset % kFunctionStride == 0 && index >= 1 && index <= functions_.size() ? functions_[index - 1] : nullptr;
}

std::string_view Module::line_text(std::uint32_t line) const {
  if (line == 0 || line > source_.lines.size()) return {};
  std::string_view text = source_.lines[line - 1];
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

std::string Module::source_of(const Instr& instr) const {
  if (instr.source.line == 0) return {};
  const auto place = [&](std::uint32_t file, std::uint32_t line) {
    const auto known = source_.files.find(file);
    return (known != source_.files.end() ? known->second : "file " + std::to_string(file)) + ":" + std::to_string(line);
  };
  std::string text = place(instr.source.file, instr.source.line);
  if (instr.source.caller_line != 0) {
    text += ", inlined at " + place(instr.source.caller_file, instr.source.caller_line);
  }
  return text;
}

void Module::locate(const Instr& instr, Report& report) const {
  report.ptx_line = instr.line;
  report.ptx_text = std::string(line_text(instr.line));
  report.source = source_of(instr);
}

void fill_specials(const Warp& warp, Frame& frame) {
  const Cta& cta = *warp.cta;
  const LaunchConfig& config = cta.launch->config;
  const auto volume = [](const Dim3& d) { return d[0] * d[1] * d[2]; };
  const auto value = [&](Special special, int lane) -> std::uint32_t {
    const Dim3 tid = cta.thread_index(warp, lane);
    const auto s = static_cast<std::uint32_t>(special);
    const auto axis = [s](Special x) { return s - static_cast<std::uint32_t>(x); };
    switch (special) {
      case Special::tid_x:
      case Special::tid_y:
      case Special::tid_z:
        return tid[axis(Special::tid_x)];
      case Special::ntid_x:
      case Special::ntid_y:
      case Special::ntid_z:
        return config.block[axis(Special::ntid_x)];
      case Special::ctaid_x:
      case Special::ctaid_y:
      case Special::ctaid_z:
        return cta.index[axis(Special::ctaid_x)];
      case Special::nctaid_x:
      case Special::nctaid_y:
      case Special::nctaid_z:
        return config.grid[axis(Special::nctaid_x)];
      case Special::clusterid_x:
      case Special::clusterid_y:
      case Special::clusterid_z: {
        const std::uint32_t i = axis(Special::clusterid_x);
        return cta.index[i] / config.cluster[i];
      }
      case Special::nclusterid_x:
      case Special::nclusterid_y:
      case Special::nclusterid_z: {
        const std::uint32_t i = axis(Special::nclusterid_x);
        return config.grid[i] / config.cluster[i];
      }
      case Special::cluster_ctaid_x:
      case Special::cluster_ctaid_y:
      case Special::cluster_ctaid_z: {
        const std::uint32_t i = axis(Special::cluster_ctaid_x);
        return cta.index[i] % config.cluster[i];
      }
      case Special::cluster_nctaid_x:
      case Special::cluster_nctaid_y:
      case Special::cluster_nctaid_z:
        return config.cluster[axis(Special::cluster_nctaid_x)];
      case Special::cluster_ctarank:
        return cta.rank;
      case Special::cluster_nctarank:
        return volume(config.cluster);
      case Special::is_explicit_cluster:
        return volume(config.cluster) > 1;
      case Special::laneid:
        return static_cast<std::uint32_t>(lane);
      case Special::warpid:
        return warp.index;
      case Special::nwarpid:
        return 64;
      case Special::smid:
        return cta.order.block % cta.launch->settings.sms;
      case Special::nsmid:
        return cta.launch->settings.sms;
      case Special::gridid:
        return 1;
      case Special::lanemask_eq:
        return 1u << lane;
      case Special::lanemask_le:
        return (2u << lane) - 1;
      case Special::lanemask_lt:
        return (1u << lane) - 1;
      case Special::lanemask_ge:
        return ~((1u << lane) - 1);
      case Special::lanemask_gt:
        return ~((2u << lane) - 1);
      case Special::dynamic_smem_size:
        return config.dynamic_shared;
      case Special::total_smem_size:
        return static_cast<std::uint32_t>(cta.shared.size());
    }
    return 0;
  };
  for (const SpecialUse& use : frame.program->specials) {
    for (int lane = 0; lane < kWarpSize; ++lane) {
      const std::uint32_t v = value(use.special, lane);
      if (use.arg.bytes == 1) {
        if (v != 0) frame.predicates[static_cast<std::size_t>(use.arg.at)] |= 1u << lane;
      } else if (use.arg.bytes == 8) {
        reinterpret_cast<std::uint64_t*>(frame.registers + use.arg.at)[lane] = v;
      } else {
        reinterpret_cast<std::uint32_t*>(frame.registers + use.arg.at)[lane] = v;
      }
    }
    frame.undefined[use.arg.shadow] = 0;
  }
}

}  // namespace vgpu
