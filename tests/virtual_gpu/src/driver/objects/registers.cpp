// Live ranges by backward data flow over basic blocks (Aho, Lam, Sethi, Ullman: Compilers, 9.2.5 "Live-Variable
// Analysis").
#include "driver/objects/registers.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vgpu::driver {
namespace {

using ptx::Operand;
using ptx::Statement;

/// What the code generator takes beside the program's values: the stack pointer, addresses it shares, staging of loads.
constexpr std::uint32_t kOverhead = 6;

using Set = std::vector<std::uint64_t>;
bool contains(const Set& set, std::uint32_t i) { return (set[i / 64] >> i % 64 & 1) != 0; }
void insert(Set& set, std::uint32_t i) { set[i / 64] |= std::uint64_t{1} << i % 64; }
void erase(Set& set, std::uint32_t i) { set[i / 64] &= ~(std::uint64_t{1} << i % 64); }

struct Step {
  std::vector<std::uint32_t> uses, defines;
  bool guarded = false;
  bool cheap = false;  ///< its result is its one source, shifted by a constant, or a constant
};
struct Block {
  std::size_t first = 0, last = 0;  ///< steps
  std::vector<std::size_t> next;
  Set live_in, live_out;
};

/// Opcodes whose first operand is read although it is no address.
bool only_reads(std::string_view opcode) {
  for (const std::string_view name : {"st", "red", "bra", "brx", "bar", "barrier", "call", "nanosleep", "ret", "exit",
                                      "trap", "cp", "prefetch", "stmatrix", "setmaxnreg", "wgmma"}) {
    if (opcode == name) return true;
  }
  return false;
}

/// What is folded into the addresses of loads and stores, or computed again rather than kept.
bool is_cheap(const ptx::Instruction& instruction) {
  const std::string& opcode = instruction.opcode[0];
  return instruction.guard.empty() && (opcode == "mov" || opcode == "cvta" || opcode == "add" || opcode == "sub" ||
                                       opcode == "or" || opcode == "and" || opcode == "shl");
}

class Analysis {
 public:
  explicit Analysis(const ptx::Function& function) {
    read(function);
    replace_cheap();
  }

  std::uint32_t most_live() {
    solve();
    std::uint32_t most = 0;
    for (Block& block : blocks_) {
      Set live = block.live_out;
      most = std::max(most, weight(live));
      for (std::size_t i = block.last; i-- > block.first;) {
        transfer(steps_[i], live);
        most = std::max(most, weight(live));
      }
    }
    return most;
  }

 private:
  struct Scope {
    std::map<std::string, std::uint32_t> ids;
    std::map<std::string, std::uint32_t> ranges;  ///< prefix of name<n>: 32-bit registers of one
  };

  static std::uint32_t words(Type type) {
    return type == Type::pred ? 0 : std::max<std::uint32_t>(1, size_of(type) / 4);
  }

  std::uint32_t add(std::uint32_t registers) {
    weights_.push_back(registers);
    return static_cast<std::uint32_t>(weights_.size() - 1);
  }

  /// The number of the register that a name means here; nothing for labels, variables and special registers.
  void collect(const Operand& operand, std::vector<std::uint32_t>& into) {
    for (const Operand& item : operand.items) collect(item, into);
    if (operand.name.empty()) return;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto it = scope->ids.find(operand.name); it != scope->ids.end()) {
        into.push_back(it->second);
        return;
      }
      const std::size_t digits = operand.name.find_last_not_of("0123456789") + 1;
      const auto range = scope->ranges.find(operand.name.substr(0, digits));
      if (range != scope->ranges.end()) {
        into.push_back(scope->ids[operand.name] = add(range->second));
        return;
      }
    }
  }

  void read(const ptx::Function& function) {
    std::map<std::string, std::size_t> labels;  // block that starts there
    std::map<std::string, std::vector<std::string>> tables;
    std::vector<std::pair<std::size_t, std::string>> jumps;
    scopes_.emplace_back();
    blocks_.emplace_back();
    const auto start_block = [&] {
      if (blocks_.back().first == steps_.size()) return;
      blocks_.back().last = steps_.size();
      blocks_.push_back({steps_.size(), steps_.size(), {}, {}, {}});
    };
    std::vector<bool> falls_through;
    for (const Statement& statement : function.body) {
      switch (statement.kind) {
        case Statement::Kind::open_scope:
          scopes_.emplace_back();
          break;
        case Statement::Kind::close_scope:
          scopes_.pop_back();
          break;
        case Statement::Kind::registers: {
          const auto& r = statement.registers;
          if (r.count == 0) {
            scopes_.back().ids[r.name] = add(words(r.type));
          } else {
            scopes_.back().ranges[r.name] = words(r.type);
          }
          break;
        }
        case Statement::Kind::label:
          start_block();
          labels[statement.label] = blocks_.size() - 1;
          break;
        case Statement::Kind::branch_targets:
          tables[statement.label] = statement.targets;
          break;
        default:
          break;  // variables and prototypes hold no registers
        case Statement::Kind::instruction: {
          const ptx::Instruction& instruction = statement.instruction;
          const std::string& opcode = instruction.opcode[0];
          steps_.push_back(step_of(instruction));
          if (opcode == "bra" || opcode == "brx" || opcode == "ret" || opcode == "exit") {
            const std::size_t block = blocks_.size() - 1;
            falls_through.resize(blocks_.size(), true);
            falls_through[block] = !instruction.guard.empty();
            if (opcode == "bra") jumps.emplace_back(block, instruction.operands.at(0).name);
            if (opcode == "brx") jumps.emplace_back(block, instruction.operands.at(1).name);
            start_block();
          }
          break;
        }
      }
    }
    blocks_.back().last = steps_.size();
    falls_through.resize(blocks_.size(), true);
    for (std::size_t i = 0; i + 1 < blocks_.size(); ++i) {
      if (falls_through[i]) blocks_[i].next.push_back(i + 1);
    }
    for (const auto& [from, label] : jumps) {
      const auto table = tables.find(label);
      for (const std::string& target : table != tables.end() ? table->second : std::vector<std::string>{label}) {
        if (const auto it = labels.find(target); it != labels.end()) blocks_[from].next.push_back(it->second);
      }
    }
  }

  Step step_of(const ptx::Instruction& instruction) {
    Step step;
    if (!instruction.guard.empty()) {
      Operand guard;
      guard.name = instruction.guard;
      collect(guard, step.uses);
      step.guarded = true;
    }
    const std::string& opcode = instruction.opcode[0];
    step.cheap = is_cheap(instruction);
    for (std::size_t i = 0; i < instruction.operands.size(); ++i) {
      const Operand& operand = instruction.operands[i];
      const bool defines = i == 0 && operand.kind != Operand::Kind::address && !only_reads(opcode);
      collect(operand, defines ? step.defines : step.uses);
    }
    return step;
  }

  /// Registers that are written once, cheaply, stand for what they are made from.
  void replace_cheap() {
    constexpr std::uint32_t kNothing = ~0u;
    std::vector<std::uint32_t> writes(weights_.size(), 0), origin(weights_.size());
    for (std::uint32_t i = 0; i < origin.size(); ++i) origin[i] = i;
    for (const Step& step : steps_) {
      for (const std::uint32_t i : step.defines) ++writes[i];
    }
    for (const Step& step : steps_) {
      if (!step.cheap || step.defines.size() != 1 || step.uses.size() > 1 || writes[step.defines[0]] != 1) continue;
      if (step.uses.empty()) {
        origin[step.defines[0]] = kNothing;
      } else if (writes[step.uses[0]] == 1 && weights_[step.uses[0]] == weights_[step.defines[0]]) {
        origin[step.defines[0]] = step.uses[0];
      }
    }
    const auto resolve = [&](std::uint32_t i) {
      while (i != kNothing && origin[i] != i) i = origin[i];
      return i;
    };
    for (Step& step : steps_) {
      for (std::uint32_t& i : step.uses) i = resolve(i);
      std::erase(step.uses, kNothing);
      std::erase_if(step.defines, [&](std::uint32_t i) { return origin[i] != i; });
      if (step.defines.empty() && step.cheap) step.uses.clear();
    }
  }

  /// The registers live before the step, from those live after it. A register that a guarded step writes remains live,
  /// since it may keep its old value.
  static void transfer(const Step& step, Set& live) {
    if (!step.guarded) {
      for (const std::uint32_t i : step.defines) erase(live, i);
    }
    for (const std::uint32_t i : step.uses) insert(live, i);
  }

  std::uint32_t weight(const Set& live) const {
    std::uint32_t sum = 0;
    for (std::uint32_t i = 0; i < weights_.size(); ++i) sum += contains(live, i) ? weights_[i] : 0;
    return sum;
  }

  void solve() {
    const Set none((weights_.size() + 63) / 64, 0);
    for (Block& block : blocks_) block.live_in = block.live_out = none;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t b = blocks_.size(); b-- > 0;) {
        Block& block = blocks_[b];
        for (const std::size_t next : block.next) {
          for (std::size_t i = 0; i < none.size(); ++i) block.live_out[i] |= blocks_[next].live_in[i];
        }
        Set live = block.live_out;
        for (std::size_t i = block.last; i-- > block.first;) transfer(steps_[i], live);
        if (live != block.live_in) {
          block.live_in = std::move(live);
          changed = true;
        }
      }
    }
  }

  std::vector<Scope> scopes_;
  std::vector<std::uint32_t> weights_;  ///< weight of each register
  std::vector<Step> steps_;
  std::vector<Block> blocks_;
};

}  // namespace

std::uint32_t estimated_registers(const ptx::Function& function) {
  const std::uint32_t live = Analysis(function).most_live() + kOverhead;
  return std::clamp<std::uint32_t>(live, 8, 255);
}

}  // namespace vgpu::driver
