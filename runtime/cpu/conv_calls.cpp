#include "conv_calls.h"

namespace maskrt::cpu {
namespace {

/// Halving the outputs halves what Winograd keeps of them between its three passes. Where that then fits into the cache
/// it gains a quarter, otherwise it loses a little, for the input is transformed twice; narrow halves lose a lot.
constexpr std::int64_t fewest_outputs = 64;
constexpr double worth_splitting = 0.95;  // of the time of one call: less is noise

}  // namespace

ConvCalls choose_calls(const ConvNode& node, DataType in_type, DataType out_type, std::int64_t in_batch_stride,
                       ConvChooser& chooser, int threads) {
  const auto calls = [&](ConvSplit split, int count, kernels::ConvProblem problem) {
    if (in_batch_stride != 0 && problem.in.batch > 1) problem.in.batch_stride = in_batch_stride;
    const ConvChoice choice = chooser.choose(problem, threads);
    return ConvCalls{split, count, problem, choice};
  };
  const ConvCalls whole = calls(ConvSplit::none, 1, node.whole(in_type, out_type));
  if (const auto group = node.one_group(in_type, out_type)) {
    const ConvCalls by_group = calls(ConvSplit::groups, node.geometry.groups, *group);
    // What oneDNN does to groups in layouts of its own choice comes with conversions that nobody has measured.
    const bool one_call =
        whole.choice.algorithm != kernels::ConvAlgorithm::free && whole.seconds() < by_group.seconds();
    return one_call ? whole : by_group;
  }
  const auto half = node.one_half(in_type, out_type);
  if (!half || whole.choice.algorithm != kernels::ConvAlgorithm::winograd || half->out.channels < fewest_outputs)
    return whole;
  const ConvCalls halves = calls(ConvSplit::outputs, 2, *half);
  return halves.seconds() < worth_splitting * whole.seconds() ? halves : whole;
}

}  // namespace maskrt::cpu
