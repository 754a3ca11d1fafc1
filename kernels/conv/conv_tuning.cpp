#include "conv_tuning.h"

#include <algorithm>
#include <charconv>

#include "conv_kernels.h"

namespace maskrt::kernels {
namespace {

std::string number(std::int64_t n) { return std::to_string(n); }

/// What the lines of one chip begin with.
std::string key_of(const Chip& chip) {
  return number(chip.compute_capability / 10) + "." + number(chip.compute_capability % 10) + "x" +
         number(chip.multiprocessors) + " ";
}

/// All that a measurement depends on but the places of tensors in memory.
std::string key_of(const CudaConvProblem& problem, const Chip& chip) {
  const ConvGeometry& g = problem.geometry;
  const Tensor& in = problem.in;
  return key_of(chip) + std::string(name_of(in.type)) + (problem.tf32 ? " tf32 " : " ") +
         number(in.batch) + "x" + number(in.height) + "x" + number(in.width) + "x" + number(in.channels) + " -> " +
         number(problem.out.channels) + " " + number(g.kernel_height) + "x" + number(g.kernel_width) + " stride " +
         number(g.stride) + " padding " + number(g.padding) + " dilation " + number(g.dilation) + " groups " +
         number(g.groups) + " residual " + number(static_cast<int>(problem.residual_kind)) + " " +
         std::string(name_of(problem.out.type));
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

ConvTuning ConvTuning::parse(std::string_view text, std::string_view file) {
  ConvTuning tuning;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.rfind(':'), slash = line.rfind('/');
    int splits = 0;
    bool right = colon != std::string_view::npos && slash != std::string_view::npos && slash > colon;
    if (right) {
      const std::string_view digits = trimmed(line.substr(slash + 1));
      const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), splits);
      right = error == std::errc() && last == digits.data() + digits.size() && splits >= 1;
    }
    if (!right)
      throw Error("tuning file " + std::string(file) + ", line " + std::to_string(number) +
                  ": expected \"problem: kernel / parts\", found \"" + std::string(line) + "\"");
    tuning.choices_[std::string(trimmed(line.substr(0, colon)))] = {
        std::string(trimmed(line.substr(colon + 1, slash - colon - 1))), splits};
  }
  return tuning;
}

std::string ConvTuning::text() const {
  std::string text;
  for (const auto& [problem, choice] : choices_)
    text += problem + ": " + choice.kernel + " / " + std::to_string(choice.splits) + "\n";
  return text;
}

std::size_t ConvTuning::count_for(const Chip& chip) const {
  const std::string begin = key_of(chip);
  return static_cast<std::size_t>(std::count_if(
      choices_.begin(), choices_.end(), [&](const auto& choice) { return choice.first.starts_with(begin); }));
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
