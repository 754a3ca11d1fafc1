// Gives the statements of one function their meaning: names become places, opcodes become handlers.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "machine/instr.h"
#include "machine/module.h"
#include "ptx/ast.h"

namespace vgpu {

class Decoder;

/// Fills in one instruction; reads the opcode's modifiers and the operands from the decoder.
using Decode = void (*)(Decoder&, Instr&);
/// By the opcode's first word; where families share a word, with the class of its last type: "add:int", "add:float"
/// (f32 and f64), "add:half" (the 16-bit formats and pairs of them).
using OpTable = std::unordered_map<std::string, Decode>;

/// The handlers for this processor: the same sources compiled for several instruction sets.
const OpTable& op_table();

class Decoder {
 public:
  struct Context {
    const ptx::Module* module = nullptr;
    const std::map<std::string, Symbol>* symbols = nullptr;
    const std::map<std::string, std::unique_ptr<Program>>* programs = nullptr;
    std::uint32_t module_shared = 0;  ///< bytes of the module's own shared variables
  };

  Decoder(const Context& context, const ptx::Function& function, Program& program);
  /// Throws Error that shows the instruction and its line.
  void run();

  // For the families' decode functions: modifiers. What is left when they return is an error.
  /// True, once, where the opcode has this modifier.
  bool take(std::string_view modifier);
  /// The first of these that the opcode has; empty where it has none.
  std::string_view take_one_of(std::initializer_list<std::string_view> modifiers);
  /// The next modifier that names a type, in order; none where there is no more.
  Type take_type();
  /// Fails unless there is one more.
  Type need_type();
  /// The last modifier that names a type, taken or not.
  Type last_type() const;
  /// The next modifier of any kind; empty where there is none.
  std::string_view take_any();
  std::string_view opcode() const { return instruction_->opcode[0]; }
  /// The opcode in full.
  std::string opcode_text() const;
  [[noreturn]] void unsupported(const std::string& why) const;

  // Operands.
  std::size_t operand_count() const { return instruction_->operands.size(); }
  const ptx::Operand& operand(std::size_t index) const;
  bool is_sink(const ptx::Operand& operand) const { return operand.name == "_"; }
  /// A register or an immediate of the type's size. With `wider`, the register may be wider than the type.
  Arg source(const ptx::Operand& operand, Type type, bool wider = false);
  Arg destination(const ptx::Operand& operand, Type type, bool wider = false);
  Arg predicate(const ptx::Operand& operand);
  /// An address operand's base; its offset goes into instr.immediate. `space` tells where a bare number or name lies.
  Arg address(const ptx::Operand& operand, ptx::Space space, Instr& instr);
  /// A number known when decoding.
  std::int64_t integer(const ptx::Operand& operand) const;
  Arg constant(std::uint64_t bits, std::uint32_t bytes);
  /// Keeps a list for the lifetime of the program and points the instruction at it.
  void set_more(Instr& instr, const std::vector<Arg>& args);
  /// A register of the decoder's own.
  Arg temporary(Type type);
  /// A register that is a predicate; one of 8 bytes.
  bool is_predicate(const ptx::Operand& operand);
  bool is_wide(const ptx::Operand& operand);
  /// Where a local variable lies in its function's frame; nothing for other operands.
  std::optional<std::uint64_t> local_variable(const ptx::Operand& operand) const;
  bool is_dynamic_special(const ptx::Operand& operand) const;

  // Control flow.
  /// Makes instr.immediate the target once all is laid out.
  void branch_target(const std::string& label, Instr& instr);
  std::vector<std::string> branch_targets(const std::string& label) const;
  /// instr.more[i].at becomes the target of the i-th label.
  void branch_table(const std::vector<std::string>& labels, Instr& instr);
  const Program* callee(const std::string& name);
  /// An operand or address whose base is a .param variable.
  bool is_param_name(const ptx::Operand& operand) const;
  /// One that is a parameter or result of this function, not the argument of a call.
  bool is_formal_parameter(const ptx::Operand& operand) const;
  ParamSlot param_slot(const ptx::Operand& operand);

  Program& program() { return program_; }
  bool is_entry() const { return function_.is_entry; }

 private:
  struct RegisterRange {
    Type type = Type::b32;
    std::uint32_t count = 0;
    std::vector<Arg> args;
  };
  struct Scope {
    std::int32_t parent = -1;
    std::unordered_map<std::string, Arg> registers;
    std::unordered_map<std::string, Type> types;
    std::unordered_map<std::string, RegisterRange> ranges;
    std::unordered_map<std::string, Symbol> variables;
    std::unordered_map<std::string, std::uint32_t> labels;
    std::unordered_map<std::string, std::vector<std::string>> targets;
  };
  struct Item {
    const ptx::Statement* statement = nullptr;
    std::int32_t scope = 0;
  };

  void collect();
  void declare(const ptx::RegisterDeclaration& declaration);
  void declare(const ptx::Variable& variable);
  void lay_out_parameters();
  std::vector<std::uint32_t> successors(std::uint32_t item) const;
  void emit();
  void decode(const Item& item);
  void emit_jump(std::uint32_t to_item, const ptx::Statement& after);
  Arg allocate(Type type);
  std::optional<Arg> find_register(const std::string& name);
  const Symbol* find_variable(const std::string& name) const;
  std::uint32_t find_label(const std::string& name, std::int32_t scope) const;
  std::optional<Arg> special(const std::string& name);
  Arg from_name(const ptx::Operand& operand, Type type, bool wider);

  const Context& context_;
  const ptx::Function& function_;
  Program& program_;
  std::vector<Scope> scopes_;
  std::vector<Item> items_;
  std::int32_t scope_ = 0;
  const ptx::Instruction* instruction_ = nullptr;
  std::uint32_t line_ = 0;
  std::vector<bool> taken_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, Arg> constants_;
  std::map<std::string, Arg> specials_;
  std::vector<std::uint32_t> position_;  ///< position of each item in the code
  struct Fixup {
    std::uint32_t code;
    std::uint32_t item;
    std::int32_t entry;  ///< entry of a branch table; -1 for a plain branch
  };
  std::vector<Fixup> fixups_;
};

}  // namespace vgpu
