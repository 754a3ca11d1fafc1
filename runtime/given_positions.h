// Positions of FastInst's queries that a caller fixes, checked against the program that takes them.
#pragma once

#include <string>
#include <vector>

#include "device.h"
#include "maskrt/maskrt.hpp"

namespace maskrt {

struct GivenPositions {
  std::string value;             ///< the output of the program that holds them, by name
  std::vector<float> positions;  ///< in its order; exact, for a map has less than 2^24 positions
};

/// `graph`: what the program was compiled of. Throws Error, which QueryPositions::name begins: for a program whose head
/// reads no positions, other numbers of images or queries than the program's, fewer or more values than these, and a
/// position that is none of the map's.
GivenPositions given_positions(const QueryPositions& given, const Program& program, const graph::Graph& graph);

}  // namespace maskrt
