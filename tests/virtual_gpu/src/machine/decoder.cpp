// Names and operands: registers, variables, immediates, special registers. The walk over statements is in layout.cpp.
#include "machine/decoder.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>

namespace vgpu {
namespace {

constexpr std::uint32_t kAlignment = 64;

std::uint32_t round_up(std::uint32_t value, std::uint32_t to) { return (value + to - 1) / to * to; }

struct NamedSpecial {
  std::string_view name;
  Special special;
  Type type;
};

// PTX ISA, 10 "Special Registers".
constexpr NamedSpecial kSpecials[] = {
    {"%tid.x", Special::tid_x, Type::u32},
    {"%tid.y", Special::tid_y, Type::u32},
    {"%tid.z", Special::tid_z, Type::u32},
    {"%ntid.x", Special::ntid_x, Type::u32},
    {"%ntid.y", Special::ntid_y, Type::u32},
    {"%ntid.z", Special::ntid_z, Type::u32},
    {"%ctaid.x", Special::ctaid_x, Type::u32},
    {"%ctaid.y", Special::ctaid_y, Type::u32},
    {"%ctaid.z", Special::ctaid_z, Type::u32},
    {"%nctaid.x", Special::nctaid_x, Type::u32},
    {"%nctaid.y", Special::nctaid_y, Type::u32},
    {"%nctaid.z", Special::nctaid_z, Type::u32},
    {"%clusterid.x", Special::clusterid_x, Type::u32},
    {"%clusterid.y", Special::clusterid_y, Type::u32},
    {"%clusterid.z", Special::clusterid_z, Type::u32},
    {"%nclusterid.x", Special::nclusterid_x, Type::u32},
    {"%nclusterid.y", Special::nclusterid_y, Type::u32},
    {"%nclusterid.z", Special::nclusterid_z, Type::u32},
    {"%cluster_ctaid.x", Special::cluster_ctaid_x, Type::u32},
    {"%cluster_ctaid.y", Special::cluster_ctaid_y, Type::u32},
    {"%cluster_ctaid.z", Special::cluster_ctaid_z, Type::u32},
    {"%cluster_nctaid.x", Special::cluster_nctaid_x, Type::u32},
    {"%cluster_nctaid.y", Special::cluster_nctaid_y, Type::u32},
    {"%cluster_nctaid.z", Special::cluster_nctaid_z, Type::u32},
    {"%cluster_ctarank", Special::cluster_ctarank, Type::u32},
    {"%cluster_nctarank", Special::cluster_nctarank, Type::u32},
    {"%is_explicit_cluster", Special::is_explicit_cluster, Type::pred},
    {"%laneid", Special::laneid, Type::u32},
    {"%warpid", Special::warpid, Type::u32},
    {"%nwarpid", Special::nwarpid, Type::u32},
    {"%smid", Special::smid, Type::u32},
    {"%nsmid", Special::nsmid, Type::u32},
    {"%gridid", Special::gridid, Type::u64},
    {"%lanemask_eq", Special::lanemask_eq, Type::u32},
    {"%lanemask_le", Special::lanemask_le, Type::u32},
    {"%lanemask_lt", Special::lanemask_lt, Type::u32},
    {"%lanemask_ge", Special::lanemask_ge, Type::u32},
    {"%lanemask_gt", Special::lanemask_gt, Type::u32},
    {"%dynamic_smem_size", Special::dynamic_smem_size, Type::u32},
    {"%total_smem_size", Special::total_smem_size, Type::u32},
};

constexpr std::string_view kDynamicSpecials[] = {"%clock",       "%clock_hi",       "%clock64",
                                                 "%globaltimer", "%globaltimer_lo", "%globaltimer_hi"};

}  // namespace

Decoder::Decoder(const Context& context, const ptx::Function& function, Program& program)
    : context_(context), function_(function), program_(program) {
  program_.name = function.name;
  program_.is_entry = function.is_entry;
  program_.directives = function.directives;
  scopes_.emplace_back();
}

bool Decoder::take(std::string_view modifier) {
  for (std::size_t i = 1; i < instruction_->opcode.size(); ++i) {
    if (!taken_[i] && instruction_->opcode[i] == modifier) {
      taken_[i] = true;
      return true;
    }
  }
  return false;
}

std::string_view Decoder::take_one_of(std::initializer_list<std::string_view> modifiers) {
  for (const std::string_view modifier : modifiers) {
    if (take(modifier)) return modifier;
  }
  return {};
}

Type Decoder::take_type() {
  for (std::size_t i = 1; i < instruction_->opcode.size(); ++i) {
    const Type type = taken_[i] ? Type::none : type_from(instruction_->opcode[i]);
    if (type == Type::none) continue;
    taken_[i] = true;
    return type;
  }
  return Type::none;
}

Type Decoder::need_type() {
  const Type type = take_type();
  if (type == Type::none) unsupported("expected a type");
  return type;
}

Type Decoder::last_type() const {
  for (std::size_t i = instruction_->opcode.size(); i-- > 1;) {
    const Type type = type_from(instruction_->opcode[i]);
    if (type != Type::none) return type;
  }
  return Type::none;
}

std::string_view Decoder::take_any() {
  for (std::size_t i = 1; i < instruction_->opcode.size(); ++i) {
    if (taken_[i]) continue;
    taken_[i] = true;
    return instruction_->opcode[i];
  }
  return {};
}

std::string Decoder::opcode_text() const {
  std::string text = instruction_->opcode[0];
  for (std::size_t i = 1; i < instruction_->opcode.size(); ++i) text += "." + instruction_->opcode[i];
  return text;
}

void Decoder::unsupported(const std::string& why) const {
  std::string text = line_ >= 1 && line_ <= context_.module->lines.size() ? context_.module->lines[line_ - 1] : "";
  text.erase(0, text.find_first_not_of(" \t"));
  throw Error("PTX line " + std::to_string(line_) + ", " + function_.name + ": " + why + ": " +
              (instruction_ != nullptr ? opcode_text() + ": " : "") + text);
}

const ptx::Operand& Decoder::operand(std::size_t index) const {
  if (index >= instruction_->operands.size()) unsupported("expected operand " + std::to_string(index + 1));
  return instruction_->operands[index];
}

Arg Decoder::allocate(Type type) {
  Arg arg;
  arg.bytes = static_cast<std::uint8_t>(size_of(type));
  if (program_.shadows == 0xffff) unsupported("expected at most 65534 registers");
  arg.shadow = static_cast<std::uint16_t>(program_.shadows++);
  if (type == Type::pred) {
    arg.at = static_cast<std::int32_t>(program_.predicates++);
  } else {
    arg.at = static_cast<std::int32_t>(program_.register_bytes);
    program_.register_bytes += round_up(std::max(2u, size_of(type)) * kWarpSize, kAlignment);
  }
  return arg;
}

Arg Decoder::temporary(Type type) { return allocate(type); }

Arg Decoder::constant(std::uint64_t bits, std::uint32_t bytes) {
  const auto [it, fresh] = constants_.try_emplace({bits, bytes});
  if (fresh) {
    const std::size_t at = program_.constants.size();
    program_.constants.resize(at + round_up(bytes * kWarpSize, kAlignment));
    for (int lane = 0; lane < kWarpSize; ++lane) {
      // Literals have at most 64 bits; a wider constant's upper half is zero.
      std::memcpy(program_.constants.data() + at + static_cast<std::size_t>(lane) * bytes, &bits, std::min(bytes, 8u));
    }
    it->second.at = ~static_cast<std::int32_t>(at);
    it->second.bytes = static_cast<std::uint8_t>(bytes);
  }
  return it->second;
}

std::optional<Arg> Decoder::find_register(const std::string& name) {
  std::size_t digits = name.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1])) != 0) --digits;
  const std::string prefix = name.substr(0, digits);
  for (std::int32_t s = scope_; s >= 0; s = scopes_[s].parent) {
    Scope& scope = scopes_[s];
    if (const auto it = scope.registers.find(name); it != scope.registers.end()) {
      if (it->second.bytes == 0) it->second = allocate(scope.types[name]);
      return it->second;
    }
    if (digits == name.size() || name.size() - digits > 7) continue;
    const auto range = scope.ranges.find(prefix);
    if (range == scope.ranges.end()) continue;
    const auto index = static_cast<std::uint32_t>(std::stoul(name.substr(digits)));
    if (index >= range->second.count) continue;
    // Registers get their place when first used: nvcc declares more than it needs.
    Arg& arg = range->second.args[index];
    if (arg.bytes == 0) arg = allocate(range->second.type);
    return arg;
  }
  return std::nullopt;
}

const Symbol* Decoder::find_variable(const std::string& name) const {
  for (std::int32_t s = scope_; s >= 0; s = scopes_[s].parent) {
    const auto it = scopes_[s].variables.find(name);
    if (it != scopes_[s].variables.end()) return &it->second;
  }
  const auto it = context_.symbols->find(name);
  return it != context_.symbols->end() ? &it->second : nullptr;
}

bool Decoder::is_predicate(const ptx::Operand& operand) {
  const auto arg = operand.kind == ptx::Operand::Kind::name ? find_register(operand.name) : std::nullopt;
  return arg && arg->bytes == 1;
}

bool Decoder::is_wide(const ptx::Operand& operand) {
  const auto arg = operand.kind == ptx::Operand::Kind::name ? find_register(operand.name) : std::nullopt;
  return arg && arg->bytes == 8;
}

std::optional<std::uint64_t> Decoder::local_variable(const ptx::Operand& operand) const {
  if (operand.kind != ptx::Operand::Kind::name) return std::nullopt;
  const Symbol* variable = find_variable(operand.name);
  if (variable == nullptr || variable->space != ptx::Space::local) return std::nullopt;
  return variable->address + static_cast<std::uint64_t>(operand.integer);
}

bool Decoder::is_dynamic_special(const ptx::Operand& operand) const {
  return std::find(std::begin(kDynamicSpecials), std::end(kDynamicSpecials), operand.name) !=
         std::end(kDynamicSpecials);
}

std::optional<Arg> Decoder::special(const std::string& name) {
  if (const auto it = specials_.find(name); it != specials_.end()) return it->second;
  for (const NamedSpecial& known : kSpecials) {
    if (known.name != name) continue;
    const Arg arg = allocate(known.type);
    program_.specials.push_back({known.special, arg});
    specials_[name] = arg;
    return arg;
  }
  return std::nullopt;
}

Arg Decoder::from_name(const ptx::Operand& operand, Type type, bool wider) {
  std::optional<Arg> arg = find_register(operand.name);
  if (!arg) arg = special(operand.name);
  if (!arg) {
    if (operand.name == "WARP_SZ") return constant(kWarpSize, size_of(type));
    const Symbol* variable = find_variable(operand.name);
    if (variable == nullptr) unsupported("expected a register, variable or constant, found '" + operand.name + "'");
    return constant(variable->address + static_cast<std::uint64_t>(operand.integer), size_of(type));
  }
  if (operand.integer != 0) unsupported("expected a register without an offset");
  const bool fits = wider ? arg->bytes >= size_of(type) : arg->bytes == size_of(type);
  if (type == Type::pred ? arg->bytes != 1 : !fits) {
    unsupported("expected a register of " + std::to_string(size_of(type)) + " bytes, found '" + operand.name + "' of " +
                std::to_string(arg->bytes));
  }
  return *arg;
}

Arg Decoder::source(const ptx::Operand& operand, Type type, bool wider) {
  if (type == Type::pred) return predicate(operand);
  switch (operand.kind) {
    case ptx::Operand::Kind::integer:
      return constant(static_cast<std::uint64_t>(operand.integer), size_of(type));
    case ptx::Operand::Kind::real:
      if (size_of(type) == 8) return constant(std::bit_cast<std::uint64_t>(operand.real), 8);
      if (size_of(type) == 4) return constant(std::bit_cast<std::uint32_t>(static_cast<float>(operand.real)), 4);
      unsupported("expected a register or an integer literal");
    case ptx::Operand::Kind::name:
      return from_name(operand, type, wider);
    default:
      unsupported("expected a register or a number");
  }
}

Arg Decoder::destination(const ptx::Operand& operand, Type type, bool wider) {
  if (operand.kind != ptx::Operand::Kind::name) unsupported("expected a destination register");
  if (is_sink(operand)) return allocate(type);
  const std::optional<Arg> arg = find_register(operand.name);
  if (!arg) unsupported("expected a destination register, found '" + operand.name + "'");
  const bool fits = wider ? arg->bytes >= size_of(type) : arg->bytes == size_of(type);
  if (!fits) {
    unsupported("expected a register of " + std::to_string(size_of(type)) + " bytes, found '" + operand.name + "' of " +
                std::to_string(arg->bytes));
  }
  return *arg;
}

Arg Decoder::predicate(const ptx::Operand& operand) {
  Arg arg;
  if (operand.kind == ptx::Operand::Kind::integer) {
    arg.at = operand.integer != 0 ? 1 : 0;
    arg.bytes = 1;
  } else {
    if (operand.kind != ptx::Operand::Kind::name) unsupported("expected a predicate");
    arg = from_name(operand, Type::pred, false);
  }
  arg.negated = operand.negated;
  return arg;
}

Arg Decoder::address(const ptx::Operand& operand, ptx::Space, Instr& instr) {
  if (operand.kind != ptx::Operand::Kind::address) unsupported("expected an address in brackets");
  instr.immediate = operand.integer;
  if (operand.name.empty()) return constant(0, 8);
  if (const auto arg = find_register(operand.name)) {
    if (arg->bytes != 4 && arg->bytes != 8) unsupported("expected an address of 4 or 8 bytes");
    return *arg;
  }
  const Symbol* variable = find_variable(operand.name);
  if (variable == nullptr) unsupported("expected a register or variable, found '" + operand.name + "'");
  return constant(variable->address, 8);
}

std::int64_t Decoder::integer(const ptx::Operand& operand) const {
  if (operand.kind != ptx::Operand::Kind::integer) unsupported("expected a number known at compile time");
  return operand.integer;
}

void Decoder::set_more(Instr& instr, const std::vector<Arg>& args) {
  auto list = std::make_unique<Arg[]>(args.size());
  std::copy(args.begin(), args.end(), list.get());
  instr.more = list.get();
  instr.more_count = static_cast<std::uint32_t>(args.size());
  program_.lists.push_back(std::move(list));
}

bool Decoder::is_param_name(const ptx::Operand& operand) const {
  const Symbol* variable = find_variable(operand.name);
  return variable != nullptr && variable->space == ptx::Space::param;
}

bool Decoder::is_formal_parameter(const ptx::Operand& operand) const {
  const auto named = [&](const ptx::Variable& v) { return v.name == operand.name; };
  return std::any_of(function_.parameters.begin(), function_.parameters.end(), named) ||
         std::any_of(function_.results.begin(), function_.results.end(), named);
}

ParamSlot Decoder::param_slot(const ptx::Operand& operand) {
  const Symbol* variable = find_variable(operand.name);
  if (variable == nullptr || variable->space != ptx::Space::param) {
    unsupported("expected a .param variable, found '" + operand.name + "'");
  }
  return {static_cast<std::uint32_t>(variable->address), static_cast<std::uint32_t>(variable->bytes)};
}

const Program* Decoder::callee(const std::string& name) {
  const auto it = context_.programs->find(name);
  if (it == context_.programs->end()) return nullptr;
  program_.callees.push_back(it->second.get());
  return it->second.get();
}

void Decoder::branch_target(const std::string& label, Instr&) {
  fixups_.push_back({static_cast<std::uint32_t>(program_.code.size()), find_label(label, scope_), -1});
}

std::vector<std::string> Decoder::branch_targets(const std::string& label) const {
  for (std::int32_t s = scope_; s >= 0; s = scopes_[s].parent) {
    const auto it = scopes_[s].targets.find(label);
    if (it != scopes_[s].targets.end()) return it->second;
  }
  unsupported("expected a list of branch targets, found '" + label + "'");
}

void Decoder::branch_table(const std::vector<std::string>& labels, Instr& instr) {
  set_more(instr, std::vector<Arg>(labels.size()));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    fixups_.push_back({static_cast<std::uint32_t>(program_.code.size()), find_label(labels[i], scope_),
                       static_cast<std::int32_t>(i)});
  }
}

}  // namespace vgpu
