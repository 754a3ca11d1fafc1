// Model files and other safetensors: read, checked, rewritten and described.
#include "graph/model_file.h"
#include "graph/print.h"
#include "graph/rewrites/rewrites.h"
#include "memory_source.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
  const auto file = fuzz::memory_source({data, size});
  fuzz::answered([&] {
    const auto tensors = graph::Safetensors::read(file);
    for (const auto& [name, view] : tensors.tensors)
      fuzz::require(view.to_floats().size() == static_cast<std::size_t>(elements(view.shape)),
                    "a number for each element");
  });
  fuzz::answered([&] {
    graph::Graph graph = graph::read_model(file).graph;
    graph::rewrite(graph);
    graph::check(graph);
  });
  return 0;
}
