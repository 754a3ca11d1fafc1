// A PTX module made ready to run: decoded programs, variables in device memory, shared-memory layouts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "machine/cta.h"
#include "machine/instr.h"
#include "ptx/ast.h"

namespace vgpu {

/// A variable of a module in its state space.
struct Symbol {
  ptx::Space space = ptx::Space::global;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

class Module {
 public:
  /// Parses and decodes every function, allocates and fills the variables. Throws Error that shows the line.
  Module(Memory& memory, std::string_view ptx_text);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Null where the module has no entry of that name.
  const Program* entry(std::string_view name) const;
  /// Null where the module has no .global or .const variable of that name.
  const Symbol* variable(std::string_view name) const;
  /// The device function whose address this is; null where there is none.
  const Program* function_at(std::uint64_t address) const;
  const std::map<std::string, std::unique_ptr<Program>>& programs() const { return programs_; }
  const ptx::Module& source() const { return source_; }
  std::uint32_t instructions() const { return instructions_; }

  /// Fills in a report's line, text and source.
  void locate(const Instr& instr, Report& report) const;
  std::string source_of(const Instr& instr) const;
  std::string_view line_text(std::uint32_t line) const;

 private:
  void place_variables();
  void fill(const ptx::Variable& variable, std::uint64_t address);
  void link(Program& program);

  Memory& memory_;
  ptx::Module source_;
  std::map<std::string, Symbol> symbols_;
  std::map<std::string, std::unique_ptr<Program>> programs_;
  std::vector<const Program*> functions_;  ///< device functions in the order of their addresses
  std::uint32_t instructions_ = 0;
  std::uint32_t static_shared_ = 0;
};

/// Writes the special registers of a new frame.
void fill_specials(const Warp& warp, Frame& frame);
/// Gives a waiter of bar.red its result.
void finish_barrier_reduction(Warp& warp, Frame& frame, const Instr& instr, Lanes lanes, std::uint32_t matching,
                              std::uint32_t voting);

}  // namespace vgpu
