// What a PTX file says, as it says it: declarations, statements and operands, before any meaning is given to them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "types.h"

namespace vgpu::ptx {

/// One operand as written.
struct Operand {
  enum class Kind : std::uint8_t {
    name,     ///< a register, variable, label, function or special register; "_" is the sink
    integer,  ///< an integer literal
    real,     ///< a floating-point literal: 0f..., 0d... or decimal
    address,  ///< [name + offset], or [name, {coordinates}] with the coordinates in items
    vector,   ///< {a, b, ...} or, in a call, (a, b, ...)
    pair,     ///< a|b
  };
  Kind kind = Kind::name;
  bool negated = false;      ///< !p
  std::string name;          ///< the name, or the base of an address; empty where the address is a number
  std::int64_t integer = 0;  ///< the literal, or an address's offset
  double real = 0;
  std::vector<Operand> items;
};

/// A place in the CUDA source, from `.loc`; line 0 where the file gives none.
struct SourceLocation {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t caller_file = 0;  ///< where the function that holds the line was inlined
  std::uint32_t caller_line = 0;
};

struct Instruction {
  std::string guard;  ///< the predicate's name, empty where there is none
  bool guard_negated = false;
  std::vector<std::string> opcode;  ///< split at the dots: "ld", "global", "v4", "b32"
  std::vector<Operand> operands;
};

/// `.reg .type name` or `.reg .type name<count>`.
struct RegisterDeclaration {
  Type type = Type::b32;
  std::string name;
  std::uint32_t count = 0;  ///< 0 for a single register, else the n of name<n>
};

enum class Space : std::uint8_t { generic, global, shared, local, constant, param };

/// One element of an initialiser: a number, or the address of a symbol.
struct Initialiser {
  std::string symbol;
  std::int64_t integer = 0;  ///< the number, or the offset from the symbol
  double real = 0;
  bool is_real = false;
};

struct Variable {
  Space space = Space::global;
  Type type = Type::b32;
  std::string name;
  std::uint64_t alignment = 0;  ///< 0 where none is written
  std::uint64_t elements = 1;
  bool is_array = false;
  bool is_extern = false;
  std::vector<Initialiser> initial;
  std::uint64_t bytes() const { return elements * size_of(type); }
  std::uint64_t aligned_to() const { return alignment != 0 ? alignment : size_of(type); }
};

/// One statement of a function's body.
struct Statement {
  enum class Kind : std::uint8_t {
    instruction,
    label,
    open_scope,
    close_scope,
    registers,
    variable,
    branch_targets,
    call_prototype
  };
  Kind kind = Kind::instruction;
  std::uint32_t line = 0;  ///< line of the PTX text, from 1
  SourceLocation source;
  Instruction instruction;
  std::string label;                 ///< name of a label or of a list of branch targets
  std::vector<std::string> targets;  ///< targets of a list of branch targets
  RegisterDeclaration registers;
  Variable variable;
};

struct Function {
  std::string name;
  bool is_entry = false;
  bool has_body = false;
  std::uint32_t line = 0;
  std::vector<Variable> results;
  std::vector<Variable> parameters;
  std::vector<Statement> body;
  /// Performance directives by name without the dot ("maxntid", "reqntid", "maxnreg", ...) with their numbers.
  std::map<std::string, std::vector<std::uint32_t>> directives;
};

struct Module {
  int version_major = 0, version_minor = 0;
  std::string target;  ///< "sm_90a"
  std::vector<Variable> variables;
  std::vector<Function> functions;
  std::map<std::uint32_t, std::string> files;  ///< `.file`: number to path
  std::vector<std::string> lines;              ///< the text, for messages
};

}  // namespace vgpu::ptx
