#include "program_builder.h"

namespace maskrt::cpu {

void ProgramBuilder::add(const graph::DeformConv&) { throw Error("cpu: DeformConv is not there yet"); }
void ProgramBuilder::add(const graph::AveragePool&) { throw Error("cpu: AveragePool is not there yet"); }
void ProgramBuilder::add(const graph::LayerNorm&) { throw Error("cpu: LayerNorm is not there yet"); }
void ProgramBuilder::add(const graph::Attention&) { throw Error("cpu: Attention is not there yet"); }

}  // namespace maskrt::cpu
