#include "size_options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <set>

#include "command.h"
#include "options.h"

namespace maskrt::cli {

std::vector<ResizeOptions> SizeOptions::resizes() const {
  if (min_sizes.empty()) return {{std::nullopt, max_size}};
  std::vector<ResizeOptions> all;
  for (const int min_size : min_sizes) all.push_back({min_size, max_size});
  return all;
}

void add_sweep_options(CLI::App& command, SizeOptions& sizes) {
  command
      .add_option("--min-size", sizes.min_sizes,
                  "The shorter side of resized pictures, in pixels, as\n"
                  "INPUT.MIN_SIZE_TEST (default: the model's); 0: no resize.\n"
                  "Several: a table of scores and times, a row a size")
      ->expected(1, -1)
      ->delimiter(',')
      ->check(side_length())
      ->type_name("N");
  add_max_size_option(command, sizes.max_size);
  add_output_option(command, "--plot", sizes.plot,
                    "Draw AP, mean IoU or PQ against milliseconds, a point a size,\nas SVG");
}

void check_sizes(const SizeOptions& sizes, const ResultFiles& results) {
  if (sizes.are_several() && (results.resume || !results.list.empty() || !results.lines.empty()))
    throw UsageError(
        "--results and --jsonl are of one size, and so is --resume: run eval once for each --min-size, or leave them "
        "out");
  if (results.resume && !sizes.plot.empty())
    throw UsageError("--plot shows what this run measures: it goes without --resume");
  std::set<int> seen;
  for (const int min_size : sizes.min_sizes)
    if (!seen.insert(min_size).second)
      throw UsageError("expected sizes that differ for --min-size, found " + std::to_string(min_size) + " twice");
}

}  // namespace maskrt::cli
