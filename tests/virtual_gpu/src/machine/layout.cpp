// The decoder's traversal: declarations into scopes, statements into basic blocks, blocks into reconvergence order.
#include <algorithm>

#include "machine/control_flow.h"
#include "machine/decoder.h"

namespace vgpu {
namespace {

bool ends_function(const ptx::Instruction& in) {
  return in.guard.empty() && (in.opcode[0] == "ret" || in.opcode[0] == "exit" || in.opcode[0] == "trap");
}

bool is_branch(const ptx::Instruction& in) { return in.opcode[0] == "bra" || in.opcode[0] == "brx"; }

/// A guarded `bra.uni LOOP`, and every other branch, may fall through; an unguarded one may not.
bool falls_through(const ptx::Instruction& in) { return !ends_function(in) && !(is_branch(in) && in.guard.empty()); }

std::uint64_t align(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

void Decoder::run() {
  lay_out_parameters();
  collect();
  emit();
}

void Decoder::lay_out_parameters() {
  // PTX ISA, 7.1: each parameter at its natural alignment; results of device functions after them.
  std::uint64_t at = 0;
  const auto place = [&](const ptx::Variable& v) {
    at = align(at, v.aligned_to());
    scopes_[0].variables[v.name] = {ptx::Space::param, at, v.bytes()};
    const ParamSlot slot{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(v.bytes())};
    at += v.bytes();
    return slot;
  };
  for (const auto& v : function_.parameters) program_.parameters.push_back(place(v));
  for (const auto& v : function_.results) program_.results.push_back(place(v));
  program_.param_bytes = static_cast<std::uint32_t>(at);
  program_.static_shared = context_.module_shared;
}

void Decoder::declare(const ptx::RegisterDeclaration& declaration) {
  Scope& scope = scopes_[scope_];
  if (declaration.count == 0) {
    scope.registers[declaration.name] = Arg{};
    scope.types[declaration.name] = declaration.type;
  } else {
    scope.ranges[declaration.name] = {declaration.type, declaration.count, std::vector<Arg>(declaration.count)};
  }
}

void Decoder::declare(const ptx::Variable& v) {
  Symbol symbol{v.space, 0, v.bytes()};
  switch (v.space) {
    case ptx::Space::local:
      program_.local_bytes = static_cast<std::uint32_t>(align(program_.local_bytes, v.aligned_to()));
      symbol.address = program_.local_bytes;
      program_.local_bytes += static_cast<std::uint32_t>(v.bytes());
      break;
    case ptx::Space::shared:
      if (!function_.is_entry) unsupported("expected shared variables of entries or of the module alone");
      program_.static_shared = static_cast<std::uint32_t>(align(program_.static_shared, v.aligned_to()));
      symbol.address = kSharedBase + program_.static_shared;
      program_.static_shared += static_cast<std::uint32_t>(v.bytes());
      break;
    case ptx::Space::param:
      program_.param_bytes =
          static_cast<std::uint32_t>(align(program_.param_bytes, std::max<std::uint64_t>(v.aligned_to(), 8)));
      symbol.address = program_.param_bytes;
      program_.param_bytes += static_cast<std::uint32_t>(v.bytes());
      break;
    default:
      unsupported("expected a local, shared or param variable inside a function");
  }
  scopes_[scope_].variables[v.name] = symbol;
}

void Decoder::collect() {
  std::vector<std::int32_t> open{0};
  for (const ptx::Statement& s : function_.body) {
    scope_ = open.back();
    line_ = s.line;
    switch (s.kind) {
      case ptx::Statement::Kind::open_scope:
        scopes_.emplace_back();
        scopes_.back().parent = open.back();
        open.push_back(static_cast<std::int32_t>(scopes_.size()) - 1);
        break;
      case ptx::Statement::Kind::close_scope:
        open.pop_back();
        break;
      case ptx::Statement::Kind::label:
        scopes_[scope_].labels[s.label] = static_cast<std::uint32_t>(items_.size());
        break;
      case ptx::Statement::Kind::branch_targets:
        scopes_[scope_].targets[s.label] = s.targets;
        break;
      case ptx::Statement::Kind::call_prototype:
        break;
      case ptx::Statement::Kind::registers:
        declare(s.registers);
        break;
      case ptx::Statement::Kind::variable:
        declare(s.variable);
        break;
      case ptx::Statement::Kind::instruction:
        items_.push_back({&s, scope_});
        break;
    }
  }
  if (function_.is_entry) {
    // Dynamic shared memory starts after the static; the module's extern arrays all name it.
    std::uint64_t alignment = 16;
    for (const auto& v : context_.module->variables) {
      if (v.space == ptx::Space::shared && v.is_extern) alignment = std::max(alignment, v.aligned_to());
    }
    program_.static_shared = static_cast<std::uint32_t>(align(program_.static_shared, alignment));
  }
  for (const auto& v : context_.module->variables) {
    // A device function cannot know where its caller's dynamic shared memory starts: naming it there remains an error.
    if (function_.is_entry && v.space == ptx::Space::shared && v.is_extern) {
      scopes_[0].variables.try_emplace(v.name, Symbol{v.space, kSharedBase + program_.static_shared, 0});
    }
  }
}

std::uint32_t Decoder::find_label(const std::string& name, std::int32_t scope) const {
  for (std::int32_t s = scope; s >= 0; s = scopes_[s].parent) {
    const auto it = scopes_[s].labels.find(name);
    if (it != scopes_[s].labels.end()) return it->second;
  }
  unsupported("expected a label of this function, found '" + name + "'");
}

std::vector<std::uint32_t> Decoder::successors(std::uint32_t item) const {
  std::vector<std::uint32_t> next;
  const ptx::Instruction& in = items_[item].statement->instruction;
  if (falls_through(in)) next.push_back(item + 1);
  if (in.opcode[0] == "bra") {
    next.push_back(find_label(in.operands.at(0).name, items_[item].scope));
  } else if (in.opcode[0] == "brx") {
    for (std::int32_t s = items_[item].scope; s >= 0; s = scopes_[s].parent) {
      const auto it = scopes_[s].targets.find(in.operands.at(1).name);
      if (it == scopes_[s].targets.end()) continue;
      for (const auto& label : it->second) next.push_back(find_label(label, items_[item].scope));
      break;
    }
  }
  return next;
}

void Decoder::emit() {
  // Basic blocks: leaders are the first item, targets, and what follows a branch or an end.
  const auto count = static_cast<std::uint32_t>(items_.size());
  std::vector<std::uint8_t> leader(count + 1, 0);
  leader[0] = leader[count] = 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const ptx::Instruction& in = items_[i].statement->instruction;
    line_ = items_[i].statement->line;
    if (!is_branch(in) && !ends_function(in)) continue;
    leader[i + 1] = 1;
    for (const std::uint32_t to : successors(i)) leader[to] = 1;
  }
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> block_of(count + 1, 0);
  for (std::uint32_t i = 0; i <= count; ++i) {
    if (leader[i] != 0) first.push_back(i);
    block_of[i] = static_cast<std::uint32_t>(first.size()) - 1;
  }
  // The last block is the function's end, an implicit return.
  std::vector<std::vector<std::uint32_t>> edges(first.size());
  for (std::size_t b = 0; b + 1 < first.size(); ++b) {
    for (const std::uint32_t to : successors(first[b + 1] - 1)) edges[b].push_back(block_of[to]);
  }
  position_.assign(count + 1, 0);
  const std::vector<std::uint32_t> order = layout_order(edges);
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::uint32_t b = order[k];
    position_[first[b]] = static_cast<std::uint32_t>(program_.code.size());
    if (first[b] == count) {
      Instr end;
      const auto decode_ret = op_table().find("ret");
      static const ptx::Instruction kRet{{}, false, {"ret"}, {}};
      instruction_ = &kRet;
      taken_.assign(1, true);
      end.line = function_.body.empty() ? function_.line : function_.body.back().line;
      decode_ret->second(*this, end);
      program_.code.push_back(end);
      continue;
    }
    for (std::uint32_t i = first[b]; i < first[b + 1]; ++i) decode(items_[i]);
    const Item& last = items_[first[b + 1] - 1];
    const bool adjacent = k + 1 < order.size() && first[order[k + 1]] == first[b + 1];
    if (falls_through(last.statement->instruction) && !adjacent) emit_jump(first[b + 1], *last.statement);
  }
  for (const Fixup& fixup : fixups_) {
    Instr& instr = program_.code[fixup.code];
    const std::uint32_t target = position_[fixup.item];
    if (target <= fixup.code) program_.loops.push_back({target, fixup.code});
    if (fixup.entry < 0) {
      instr.immediate = target;
    } else {
      const_cast<Arg*>(instr.more)[fixup.entry].at = static_cast<std::int32_t>(target);
    }
  }
}

void Decoder::emit_jump(std::uint32_t to_item, const ptx::Statement& after) {
  static const ptx::Instruction kJump{{}, false, {"bra", "uni"}, {}};
  Instr jump;
  jump.line = after.line;
  jump.source = after.source;
  instruction_ = &kJump;
  taken_.assign(2, false);
  fixups_.push_back({static_cast<std::uint32_t>(program_.code.size()), to_item, -1});
  op_table().find("bra")->second(*this, jump);
  program_.code.push_back(jump);
}

void Decoder::decode(const Item& item) {
  instruction_ = &item.statement->instruction;
  scope_ = item.scope;
  line_ = item.statement->line;
  taken_.assign(instruction_->opcode.size(), false);
  Instr instr;
  instr.line = line_;
  instr.source = item.statement->source;
  if (!instruction_->guard.empty()) {
    ptx::Operand guard;
    guard.name = instruction_->guard;
    guard.negated = instruction_->guard_negated;
    instr.guard = predicate(guard);
  }
  auto found = op_table().find(instruction_->opcode[0]);
  if (found == op_table().end()) {
    const Type type = last_type();
    const bool full = type == Type::f32 || type == Type::f64;
    found = op_table().find(instruction_->opcode[0] + (full ? ":float" : is_float(type) ? ":half" : ":int"));
  }
  if (found == op_table().end()) unsupported("expected an instruction that the virtual GPU knows");
  found->second(*this, instr);
  for (std::size_t i = 1; i < taken_.size(); ++i) {
    if (!taken_[i]) unsupported("expected no modifier ." + instruction_->opcode[i] + " here");
  }
  if (instr.run == nullptr) return;  // a hint without effect
  program_.code.push_back(instr);
}

}  // namespace vgpu
