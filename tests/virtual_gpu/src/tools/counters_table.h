// Counters of a launch, as a table for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "machine/module.h"

namespace vgpu {

/// One line a kind of instruction, then the lines that execute most.
std::string counters_table(const Module& module, const std::vector<LineCount>& counts);
/// {"kinds": {...}, "total": {...}, "main_loop": {...}, "lines": [{"line", "text", "source", ...}]}
std::string counters_json(const Module& module, const std::vector<LineCount>& counts);

}  // namespace vgpu
