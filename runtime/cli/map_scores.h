// Scores of semantic and panoptic segmentation as tables and as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "runtime/label_maps/panoptic_quality.h"
#include "runtime/label_maps/semantic_score.h"

namespace maskrt::cli {

/// For people, with a dash for what has nothing to count. `per_class`: each class, too.
void print(const label_maps::PanopticQuality& found, bool per_class);
void print(const label_maps::SemanticScore& found, bool per_class);

/// Numbers from 0 to 1, null for what has nothing to count, and each class in "per_class".
nlohmann::ordered_json json_of(const label_maps::PanopticQuality& found);
nlohmann::ordered_json json_of(const label_maps::SemanticScore& found);

}  // namespace maskrt::cli
