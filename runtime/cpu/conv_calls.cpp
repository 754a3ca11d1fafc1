#include "conv_calls.h"

namespace maskrt::cpu {
namespace {

/// Halving the outputs halves what Winograd keeps of them between its three passes. Where that then fits into the cache
/// it gains a quarter, otherwise it loses a little, for the input is transformed twice; narrow halves lose a lot.
constexpr std::int64_t kFewestOutputs = 64;
constexpr double kWorthSplitting = 0.95;  // of the time of one call: less is noise

}  // namespace

double ConvCalls::seconds() const {
  double sum = 0;
  for (const ConvChoice& choice : choices) sum += choice.seconds;
  return sum;
}

ConvCalls choose_calls(const ConvNode& node, DataType in_type, DataType out_type, std::int64_t in_batch_stride,
                       ConvChooser& chooser, int threads) {
  const auto placed = [&](kernels::ConvProblem problem) {
    if (in_batch_stride != 0 && problem.in.batch > 1) problem.in.batch_stride = in_batch_stride;
    return problem;
  };
  const auto choose = [&](const kernels::ConvProblem& problem) { return chooser.choose(placed(problem), threads); };
  const auto calls = [&](ConvSplit split, int count, const kernels::ConvProblem& problem) {
    return ConvCalls{split, problem, std::vector<ConvChoice>(static_cast<std::size_t>(count), choose(problem))};
  };
  // Wide layers are split even where that takes a little longer, so that all sizes share their weights. The time of a
  // slice tells whether Winograd is worth it, for the whole as well.
  if (const std::vector<kernels::ConvProblem> slices = node.input_slices(in_type, out_type); !slices.empty()) {
    ConvCalls by_inputs{ConvSplit::inputs, slices.front(), {choose(slices.front())}};
    if (by_inputs.choices.front().algorithm == kernels::ConvAlgorithm::winograd) {
      for (std::size_t i = 1; i < slices.size(); ++i) by_inputs.choices.push_back(choose(slices[i]));
      return by_inputs;
    }
    const ConvChoice& slice = by_inputs.choices.front();
    const kernels::ConvProblem problem = node.whole(in_type, out_type);
    const ConvTime time{slice.algorithm, static_cast<double>(slices.size()) * slice.seconds};
    return {ConvSplit::none, problem, {chooser.choose(placed(problem), threads, time)}};
  }
  const ConvCalls whole = calls(ConvSplit::none, 1, node.whole(in_type, out_type));
  const kernels::ConvAlgorithm algorithm = whole.choices.front().algorithm;
  if (const auto group = node.one_group(in_type, out_type)) {
    const ConvCalls by_group = calls(ConvSplit::groups, node.geometry.groups, *group);
    // What oneDNN does to groups in layouts of its own choice comes with conversions that nobody has measured.
    const bool one_call = algorithm != kernels::ConvAlgorithm::free && whole.seconds() < by_group.seconds();
    return one_call ? whole : by_group;
  }
  const auto half = node.one_half(in_type, out_type);
  if (!half || algorithm != kernels::ConvAlgorithm::winograd || half->out.channels < kFewestOutputs) return whole;
  const ConvCalls halves = calls(ConvSplit::outputs, 2, *half);
  return halves.seconds() < kWorthSplitting * whole.seconds() ? halves : whole;
}

}  // namespace maskrt::cpu
