// A head as JSON and back: docs/model-file.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "heads.h"

namespace maskrt::graph {

/// {"name": "SparseInst", "version": 1, "values": {"class_logits": "name of a value", ...}, "settings": {...}}
nlohmann::json head_to_json(const Head& head, const Graph& graph);

/// Throws Error for a head, a version, a value or a setting that is not known. Settings that are not there have their
/// defaults.
Head head_from_json(const nlohmann::json& json, const Graph& graph);

/// The head that a file of format 1 means, which names an architecture, has one output for each value of the head under
/// the head's name for it, and the settings as an object: {"score_threshold": 0.005, ...}. Throws Error.
Head head_of_architecture(const std::string& architecture, const nlohmann::json& settings, const Graph& graph);

/// The double that prints as a float does: 0.005, not 0.004999999888.
double short_decimal(float value);

}  // namespace maskrt::graph
