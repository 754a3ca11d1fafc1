// The model file: one safetensors file that holds a network and all that running it needs. Layout: docs/model-file.md.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph.h"
#include "heads.h"
#include "safetensors.h"

namespace maskrt::graph {

/// How an image becomes the network's input.
struct Preprocessing {
  bool rgb = true;                                ///< channel order the network wants; false is BGR
  float mean[3] = {0, 0, 0}, std[3] = {1, 1, 1};  ///< in that order, of 0..255
  int min_size = 640, max_size = 853;             ///< shortest-edge resize; min_size 0: no resize
  int size_divisibility = 32;                     ///< right and bottom padding; 0: none
};

/// A network with everything around it. The graph is the plain one: rewrites run when a device prepares it.
struct ModelDescription {
  std::string name;  ///< "sparse_inst_r50_giam"
  Graph graph;
  Head head;  ///< what the outputs mean
  Preprocessing preprocessing;
  std::vector<Category> categories;
  /// Where the constants' numbers lie; null when the graph was built in memory.
  std::shared_ptr<const Safetensors> storage;
};

/// The largest number that a category's id may be; the least is 0.
inline constexpr int kLargestCategoryId = 1 << 30;
/// Pixels are of 0..255: means and deviations of them that are not absurd.
inline constexpr double kLargestMean = 1e6, kLeastDeviation = 1e-6, kLargestDeviation = 1e6;

/// Writes the model file. `tensors` holds the bytes of every constant that the graph names, in the checkpoint's dtype.
/// Gives the number of bytes written. Throws Error; leaves no half-written file.
std::uint64_t write_model(const std::filesystem::path& path, const ModelDescription& model,
                          const std::vector<TensorToWrite>& tensors);

/// Checks all of the file: container, checksum, version, graph, each constant's shape, and that the outputs are what
/// the head reads. The file stays open, and each constant's numbers are read when it is evaluated. A file that is
/// overwritten or cut meanwhile makes evaluating throw: it never gives other numbers. Throws Error that names the file,
/// what was expected and what was found.
ModelDescription read_model(const std::filesystem::path& path);
ModelDescription read_model(std::shared_ptr<const ByteSource> source);

/// The plain graph as JSON and back: {"version": 1, "nodes": [{"name", "op", "version", "inputs", "output", ...}],
/// "outputs": [...]}. `constant` finds a constant by its tensor's name.
std::string graph_to_json(const Graph& graph);
Graph graph_from_json(const std::string& text, const std::function<ConstantPtr(const std::string&)>& constant);

}  // namespace maskrt::graph
