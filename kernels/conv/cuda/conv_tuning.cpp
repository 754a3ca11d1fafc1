#include "conv_tuning.h"

#include <algorithm>
#include <charconv>

#include "conv_kernels.h"
#include "kernels/conv/tuning_lines.h"

namespace maskrt::kernels {
namespace {

std::string number(std::int64_t n) { return std::to_string(n); }

/// The prefix of all lines of one chip.
std::string key_of(const Chip& chip) {
  return number(chip.compute_capability / 10) + "." + number(chip.compute_capability % 10) + "x" +
         number(chip.multiprocessors) + " ";
}

/// The problem as text: everything that a measurement depends on, except for addresses.
std::string key_of(const CudaConvProblem& problem, const Chip& chip) {
  const ConvGeometry& g = problem.geometry;
  const Tensor& in = problem.in;
  return key_of(chip) + std::string(name_of(in.type)) + (problem.tf32 ? " tf32 " : " ") + number(in.batch) + "x" +
         number(in.height) + "x" + number(in.width) + "x" + number(in.channels) + " -> " +
         number(problem.out.channels) + " " + number(g.kernel_height) + "x" + number(g.kernel_width) + " stride " +
         number(g.stride) + " padding " + number(g.padding) + " dilation " + number(g.dilation) + " groups " +
         number(g.groups) + " residual " + number(static_cast<int>(problem.residual_kind)) + " " +
         std::string(name_of(problem.out.type)) + (problem.norm ? " norm" : "");
}

}  // namespace

ConvTuning ConvTuning::parse(std::string_view text, std::string_view file) {
  ConvTuning tuning;
  for (const TuningLine& line : tuning_lines(text, file)) {
    if (line.of_cpu()) {
      tuning.of_cpus_.emplace(line.text);
      continue;
    }
    int splits = 0;
    const char* const end = line.value.data() + line.value.size();
    const auto [last, error] = std::from_chars(line.value.data(), end, splits);
    if (error != std::errc() || last != end || splits < 1) throw no_tuning_line(file, line);
    tuning.choices_[std::string(line.problem)] = {std::string(line.choice), splits};
  }
  return tuning;
}

std::string ConvTuning::text() const {
  std::string text;
  for (const auto& [problem, choice] : choices_)
    text += problem + ": " + choice.kernel + " / " + std::to_string(choice.splits) + "\n";
  for (const std::string& line : of_cpus_) text += line + "\n";
  return text;
}

std::size_t ConvTuning::count_for(const Chip& chip) const {
  const std::string begin = key_of(chip);
  return static_cast<std::size_t>(std::count_if(choices_.begin(), choices_.end(),
                                                [&](const auto& choice) { return choice.first.starts_with(begin); }));
}

void ConvTuning::set(const CudaConvProblem& problem, const Chip& chip, const ConvChoice& choice) {
  choices_[key_of(problem, chip)] = {conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry, choice.splits};
}

ConvChoice ConvTuning::find(const CudaConvProblem& problem, const Chip& chip) const {
  const auto entry = choices_.find(key_of(problem, chip));
  if (entry == choices_.end()) return {};
  for (const ConvChoice& choice : conv_choices(problem, chip))
    if (choice.splits == entry->second.splits &&
        entry->second.kernel == conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry)
      return choice;
  return {};
}

}  // namespace maskrt::kernels
