// The options of `maskrt eval` that say at which sizes a model is scored.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "maskrt/maskrt.hpp"
#include "result_sink.h"

namespace CLI {
class App;
}

namespace maskrt::cli {

/// --min-size with any number of values, --max-size, and --plot for the figures.
struct SizeOptions {
  std::vector<int> min_sizes;
  std::optional<int> max_size;
  std::string plot;

  bool given() const { return !min_sizes.empty() || max_size || !plot.empty(); }
  bool are_several() const { return min_sizes.size() > 1; }
  /// Whether times are shown, so that nothing else should run while they are taken.
  bool are_timed() const { return are_several() || !plot.empty(); }
  /// The resize of each pass over the images, 1 or more.
  std::vector<ResizeOptions> resizes() const;
};

/// `sizes` must outlive the parsing.
void add_sweep_options(CLI::App& command, SizeOptions& sizes);

/// Throws UsageError for a size that is named twice, and where results are to be written that are of one size.
void check_sizes(const SizeOptions& sizes, const ResultFiles& results);

}  // namespace maskrt::cli
