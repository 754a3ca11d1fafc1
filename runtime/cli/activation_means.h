// The mean of each instance activation map over many pictures, in numbers and as heat pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

/// Maps are resized from the part that the picture fills to kSide x kSide, whatever the picture's shape, so that
/// positions are shares of its width and height. What it holds does not grow with the pictures.
class ActivationMeans {
 public:
  static constexpr int kSide = 64;

  explicit ActivationMeans(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// All files that may come of write().
  void add_outputs(graph::FileRoles& roles) const;
  void make_folder() const;

  /// A picture's maps. May be called from several threads, and the sums depend on the pictures alone, not on their
  /// order. Throws Error where numbers are not from 0 to 1, and then has not added any.
  void add(const ActivationMaps& maps);

  /// Writes of each query a picture of its maps side by side, query_NNN.png, all queries in one, queries.png, and the
  /// numbers, activations.safetensors. Nothing where no picture was added. Throws Error.
  void write() const;

 private:
  std::vector<float> mean_of(std::size_t map) const;
  void write_query(std::size_t query) const;
  void write_sheet() const;
  void write_numbers() const;

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::int64_t images_ = 0;
  std::vector<std::vector<int>> maps_;  ///< of each query
  /// [maps, kSide, kSide]: in units that make sums exact, and so the same in any order.
  std::vector<std::int64_t> sums_;
};

}  // namespace maskrt::cli
