#include "program_builder.h"

namespace maskrt::cuda {

void ProgramBuilder::add(const graph::DeformConv&) { throw Error("cuda: DeformConv is not there yet"); }
void ProgramBuilder::add(const graph::AveragePool&) { throw Error("cuda: AveragePool is not there yet"); }

}  // namespace maskrt::cuda
