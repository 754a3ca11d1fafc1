#include "network.h"

#include <malloc.h>

#include <mutex>

#include "compute_state.h"
#include "conv_calls.h"
#include "program_builder.h"
#include "runtime/fork_aware_mutex.h"

namespace maskrt::cpu {

namespace {

/// Held by the network of the process that is compiled: two that are measured at a time would disturb one another. And
/// whoever makes oneDNN's primitives holds it, so that a child of fork notices when it cannot: oneDNN has locks of its
/// own that would wait for ever.
ForkAwareMutex compiling("making a plan");

/// Measures what there is to measure before any weights are prepared: measuring takes memory of its own for a while.
void choose_all(const graph::Graph& graph, const std::vector<graph::Extent>& extents, const PrecisionPlan& precision,
                ConvChooser& chooser, int threads) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const graph::Node& node = graph.nodes[i];
    const auto* conv = std::get_if<graph::Conv>(&node.operation);
    if (conv == nullptr) continue;
    const auto output = static_cast<std::size_t>(node.output);
    const ConvNode shape(*conv, extents[static_cast<std::size_t>(node.inputs[0])], extents[output]);
    const DataType in = precision.conv[i], out = in == DataType::f32 ? in : precision.value[output];
    choose_calls(shape, in, out, 0, chooser, threads);
  }
}

/// Plain weights were evaluated on the heap, which would keep tens of megabytes of it for a next time that never comes.
void release_freed_heap() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

}  // namespace

CpuNetwork::CpuNetwork(graph::Graph graph, Precision precision)
    : graph_(std::move(graph)), precision_(precision), chooser_(precision == Precision::bf16) {
  graph::check(graph_);
}

Program CpuNetwork::compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) {
  const std::vector<graph::Extent> extents = graph::infer_extents(graph_, batch, height, width);
  const std::lock_guard lock(compiling);
  const ComputeState state(threads);
  const double before = chooser_.measuring_seconds();
  const PrecisionPlan precision =
      precision_ == Precision::bf16 ? bf16_plan(graph_, extents, chooser_, threads) : fp32_plan(graph_);
  choose_all(graph_, extents, precision, chooser_, threads);
  chooser_.release_workspace();
  const std::size_t weights_before = weights_.bytes();
  Program program = ProgramBuilder(graph_, extents, precision, threads, chooser_, weights_).build();
  chooser_.release_workspace();  // where an odd layout had still to be measured
  if (weights_.bytes() != weights_before) release_freed_heap();
  program.tuning_seconds = chooser_.measuring_seconds() - before;
  return program;
}

}  // namespace maskrt::cpu
