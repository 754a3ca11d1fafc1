// The order in which a function's basic blocks are laid out, so that diverged lanes reconverge where they should.
#pragma once

#include <cstdint>
#include <vector>

namespace vgpu {

/// A topological order of the blocks in which every loop is contiguous, its header first. Lanes that always run the
/// lowest fragment first then meet at the immediate post-dominator: a join is laid out after all its predecessors, and
/// what follows a loop after the loop. Block 0 is the entry; unreachable blocks are left out. Independent blocks keep
/// their order.
std::vector<std::uint32_t> layout_order(const std::vector<std::vector<std::uint32_t>>& successors);

}  // namespace vgpu
