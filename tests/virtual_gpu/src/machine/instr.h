// A kernel as the interpreter runs it: flat arrays of decoded instructions, with operands resolved to places.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ptx/ast.h"
#include "types.h"

namespace vgpu {

struct Warp;
struct Instr;

/// One bit a lane.
using Lanes = std::uint32_t;
constexpr int kWarpSize = 32;
constexpr Lanes kAllLanes = ~Lanes{0};

/// Runs one instruction for the lanes of the mask (never empty). The program counter already stands on the next one.
using Handler = void (*)(Warp&, const Instr&, Lanes);

/// Where an operand lives: in the frame's registers (32 lanes side by side) or, below zero, in the function's
/// constants.
struct Arg {
  std::int32_t at = 0;       ///< byte offset; ~offset into the constants; for predicates the predicate's index
  std::uint16_t shadow = 0;  ///< index of its definedness; 0 for constants, which are always defined
  bool negated = false;      ///< negated predicate
  std::uint8_t bytes = 0;    ///< size of the register as declared, which may be wider than the instruction's type
};

/// What the counters call an instruction.
enum class Kind : std::uint8_t {
  integer,
  floating,
  half,
  convert,
  move,
  control,
  memory,
  barrier,
  tensor,
  async,
  other
};
constexpr int kKinds = 11;

struct Instr {
  Handler run = nullptr;
  Arg guard{-1, 0, false, 0};  ///< a predicate; at < 0 where there is none
  Kind kind = Kind::other;
  std::uint8_t width = 0;      ///< bytes of one element, where the handler needs it
  std::uint8_t count = 0;      ///< elements of a vector, matrices of ldmatrix, ...
  std::uint32_t flags = 0;     ///< the family's own
  Arg a[5];                    ///< a[0] is the destination, where there is one
  std::int64_t immediate = 0;  ///< an address's offset, a branch's target, ...
  const Arg* more = nullptr;   ///< further operands, owned by the program
  std::uint32_t more_count = 0;
  std::uint32_t tensor_ops = 0;  ///< multiplications and additions of one execution by a warp
  std::uint32_t line = 0;        ///< line of the PTX text
  ptx::SourceLocation source;
};

/// Keeps what Instr::more points at.
using ArgLists = std::vector<std::unique_ptr<Arg[]>>;

/// Special registers that keep their value while a warp runs. PTX ISA, 10 "Special Registers".
enum class Special : std::uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  clusterid_x,
  clusterid_y,
  clusterid_z,
  nclusterid_x,
  nclusterid_y,
  nclusterid_z,
  cluster_ctaid_x,
  cluster_ctaid_y,
  cluster_ctaid_z,
  cluster_nctaid_x,
  cluster_nctaid_y,
  cluster_nctaid_z,
  cluster_ctarank,
  cluster_nctarank,
  is_explicit_cluster,
  laneid,
  warpid,
  nwarpid,
  smid,
  nsmid,
  gridid,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  dynamic_smem_size,
  total_smem_size,
};

constexpr std::uint16_t kNotFenced = 0xffff;

struct SpecialUse {
  Special special;
  Arg arg;
};

/// A run of bytes in a function's .param space.
struct ParamSlot {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

/// What alloca may take of one thread's local memory.
constexpr std::uint32_t kDynamicStack = 16384;

/// A loop of a program, which is laid out in one piece: its first instruction and the branch back to it.
struct Loop {
  std::uint32_t first = 0, last = 0;
};

/// One decoded entry or device function.
struct Program {
  std::string name;
  bool is_entry = false;
  std::vector<Instr> code;
  std::vector<Loop> loops;
  ArgLists lists;
  std::uint32_t register_bytes = 0;  ///< register bytes of one warp's frame
  std::uint32_t predicates = 2;      ///< 0 is always false, 1 always true
  std::uint32_t shadows = 1;         ///< 0 is the constants'
  std::vector<std::byte> constants;  ///< each broadcast over 32 lanes
  std::vector<SpecialUse> specials;  ///< filled when a frame is made
  std::uint32_t local_bytes = 0;     ///< local memory of one thread, for this function alone
  std::uint32_t param_bytes = 0;     ///< its formal parameters, results, and the arguments of its calls
  std::vector<ParamSlot> parameters;
  std::vector<ParamSlot> results;
  std::vector<const Program*> callees;
  /// Accumulators and factors of its wgmmas, once each, for the check of wgmma.fence.
  std::vector<Arg> fenced;
  std::vector<std::uint16_t> fenced_index;  ///< into `fenced`, by Arg::shadow; kNotFenced for others
  bool calls_indirectly = false;            ///< functions that are only known when it runs, too
  bool allocates = false;                   ///< has alloca
  std::map<std::string, std::vector<std::uint32_t>> directives;
  std::uint32_t first_count = 0;  ///< index of its first instruction among the module's
  // Entries only.
  std::uint32_t static_shared = 0;
  std::uint32_t static_stack = 0;  ///< local bytes of one thread with everything it calls
  std::uint32_t stack_bytes = 0;   ///< the same with what alloca may take
};

}  // namespace vgpu
