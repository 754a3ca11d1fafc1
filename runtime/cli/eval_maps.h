// `maskrt eval --task semantic` and `--task panoptic`: their options, and scores of results that were written before,
// as pictures of numbers. Those of a model: eval_model_maps.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/label_maps/classes.h"

namespace CLI {
class App;
}

namespace maskrt::cli {

enum class EvalTask : std::uint8_t { instance, semantic, panoptic };

struct MapOptions {
  EvalTask task = EvalTask::instance;
  std::string annotation_maps, result_maps;  ///< of panoptic files; none: beside them
  std::string classes;                       ///< of label maps
  std::optional<int> ignored;                ///< number of what is not scored
  std::optional<label_maps::Numbering> annotation_numbering, result_numbering;  ///< of label maps
  std::string overlay;  ///< folder for drawings; none where empty
  bool per_class = false;
};

/// --task and what goes with it.
void add_map_options(CLI::App& command, MapOptions& options);

/// What eval reads and writes, whatever the task.
struct MapFiles {
  std::string annotations, results, images, json;
  int threads = 0;
  bool runs_model = false;  ///< results are a model's, and not there yet
};

/// Throws UsageError for options that do not go with the task.
void check_map_usage(const MapOptions& options, const MapFiles& files);

/// Scores results of semantic or panoptic segmentation that are there, prints and writes the numbers, and draws the
/// results. Returns the exit status.
int evaluate_maps(const MapOptions& options, const MapFiles& files);

}  // namespace maskrt::cli
