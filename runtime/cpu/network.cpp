#include "network.h"

#include <malloc.h>

#include <algorithm>
#include <mutex>

#include "compute_state.h"
#include "conv_calls.h"
#include "cpu_stream.h"
#include "graph/rewrites/rewrites.h"
#include "processor.h"
#include "program_builder.h"
#include "runtime/support/fork_aware_mutex.h"
#include "runtime/tuning_file.h"

namespace maskrt::cpu {

namespace {

/// Held by the network of the process that is compiled: two that are measured at a time would disturb one another. And
/// whoever makes oneDNN's primitives holds it, so that a child of fork notices when it cannot: oneDNN has locks of its
/// own that would wait for ever.
ForkAwareMutex compiling("making a plan");

/// Lets a chooser that measures do so before any weights are prepared: measuring takes memory of its own for a while.
void choose_all(const graph::Graph& graph, const std::vector<graph::Extent>& extents, const PrecisionPlan& precision,
                ConvChooser& chooser, int threads, const TuningProgress& progress = {}) {
  const std::size_t all =
      static_cast<std::size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) {
        return std::holds_alternative<graph::Conv>(node.operation);
      }));
  std::size_t done = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const graph::Node& node = graph.nodes[i];
    const auto* conv = std::get_if<graph::Conv>(&node.operation);
    if (conv == nullptr) continue;
    const auto output = static_cast<std::size_t>(node.output());
    const ConvNode shape(*conv, extents[static_cast<std::size_t>(node.inputs[0])], extents[output]);
    const DataType in = stored_in(precision.node[i]), out = in == DataType::f32 ? in : precision.value[output];
    choose_calls(shape, in, out, 0, chooser, threads);
    if (progress) progress(++done, all);
  }
}

/// Plain weights were evaluated on the heap, which would keep tens of megabytes of it for a next time that never comes.
void release_freed_heap() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

/// Ends a round of choices however it goes.
class Round {
 public:
  explicit Round(ConvChooser& chooser) : chooser_(chooser) {}
  ~Round() { chooser_.finish(); }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

 private:
  ConvChooser& chooser_;
};

}  // namespace

CpuNetwork::CpuNetwork(graph::LoweredNetwork network, Precision precision)
    : network_(graph::unfused(std::move(network.graph)), network.head, network.kept),
      precision_(precision),
      tuning_(processor_description()),
      chooser_(precision == Precision::bf16) {}

PrecisionPlan CpuNetwork::plan_precision(const std::vector<graph::Extent>& extents, ConvChooser& chooser,
                                         int threads) const {
  return precision_ == Precision::bf16 ? bf16_plan(graph(), extents, chooser, threads) : fp32_plan(graph());
}

Program CpuNetwork::compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) {
  const std::vector<graph::Extent> extents = graph::infer_extents(graph(), batch, height, width);
  const std::lock_guard lock(compiling);
  const ComputeState state(threads);
  const Round round(chooser_);
  const double before = chooser_.measuring_seconds();
  const PrecisionPlan precision = plan_precision(extents, chooser_, threads);
  if (chooser_.measures()) choose_all(graph(), extents, precision, chooser_, threads);
  chooser_.release_workspace();
  const std::size_t weights_before = weights_.bytes();
  Program program = ProgramBuilder(graph(), extents, precision, threads, chooser_, weights_).build();
  if (weights_.bytes() != weights_before) release_freed_heap();
  attach_head(program, network_, extents);
  program.tuning_seconds = chooser_.measuring_seconds() - before;
  return program;
}

void CpuNetwork::measure_nothing() {
  const std::lock_guard lock(compiling);
  chooser_.set_measuring(ConvChooser::Measuring::never);
}

std::string CpuNetwork::use_tuning(const std::string& file) {
  const std::lock_guard lock(compiling);
  tuning_ = ConvTimes::parse(read_tuning_file(file), file, processor_description());
  if (tuning_.size() == 0) return file + " has no choices for " + processor_description();
  chooser_.use(tuning_);
  chooser_.set_measuring(ConvChooser::Measuring::never);
  return {};
}

std::string CpuNetwork::tune(std::int64_t batch, std::int64_t height, std::int64_t width, DeviceStream& stream,
                             const TuningProgress& progress) {
  const std::vector<graph::Extent> extents = graph::infer_extents(graph(), batch, height, width);
  const int threads = static_cast<CpuStream&>(stream).threads();
  const std::lock_guard lock(compiling);
  const ComputeState state(threads);
  ConvChooser chooser(precision_ == Precision::bf16);
  chooser.set_measuring(ConvChooser::Measuring::all);
  choose_all(graph(), extents, plan_precision(extents, chooser, threads), chooser, threads, progress);
  ConvTimes times = tuning_;
  times.add(chooser.times());
  return times.text();
}

}  // namespace maskrt::cpu
