// PTX text to its syntax tree.
#pragma once

#include <string_view>

#include "ptx/ast.h"

namespace vgpu::ptx {

/// Reads a whole module as nvcc 13 and Triton write it. Debug sections are skipped; `.loc` is kept with each statement.
/// Throws Error with the line's number and text where the text is no PTX, or is PTX that this parser doesn't know.
Module parse(std::string_view text);

}  // namespace vgpu::ptx
