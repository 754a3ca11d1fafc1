#include "program_builder.h"

namespace maskrt::cuda {

void ProgramBuilder::add(const graph::LayerNorm&) { throw Error("cuda: LayerNorm is not there yet"); }
void ProgramBuilder::add(const graph::Attention&) { throw Error("cuda: Attention is not there yet"); }

}  // namespace maskrt::cuda
