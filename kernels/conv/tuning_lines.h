// The line format of tuning files, common to the CPU's choices of algorithms and the GPUs' choices of kernels, so that
// one file can hold both.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// "problem: choice / number". Lines for CPUs begin with "cpu ", all others are for GPUs.
struct TuningLine {
  int number = 0;  ///< line number in the file, from 1
  std::string_view text, problem, choice, value;
  bool of_cpu() const { return text.starts_with("cpu "); }
};

/// The error for a malformed line; names the file and the line.
inline Error no_tuning_line(std::string_view file, const TuningLine& line) {
  return Error("tuning file " + std::string(file) + ", line " + std::to_string(line.number) +
               ": expected \"problem: " + (line.of_cpu() ? "algorithm / seconds" : "kernel / splits") + "\", found \"" +
               std::string(line.text) + "\"");
}

/// All lines except empty ones and those that begin with #, as views into `text`. Throws Error for a malformed line.
inline std::vector<TuningLine> tuning_lines(std::string_view text, std::string_view file) {
  const auto trimmed = [](std::string_view part) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!part.empty() && is_space(part.front())) part.remove_prefix(1);
    while (!part.empty() && is_space(part.back())) part.remove_suffix(1);
    return part;
  };
  std::vector<TuningLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    TuningLine line;
    line.number = number;
    line.text = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.text.empty() || line.text.front() == '#') continue;
    const std::size_t colon = line.text.rfind(':'), slash = line.text.rfind('/');
    if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon)
      throw no_tuning_line(file, line);
    line.problem = trimmed(line.text.substr(0, colon));
    line.choice = trimmed(line.text.substr(colon + 1, slash - colon - 1));
    line.value = trimmed(line.text.substr(slash + 1));
    if (line.problem.empty() || line.choice.empty() || line.value.empty()) throw no_tuning_line(file, line);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace maskrt::kernels
