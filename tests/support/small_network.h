// Graphs for tests, with weights that are small multiples of 1/8: sums of products of them are exact in fp32, so a
// rewrite that combines constants rounds nothing, and outputs must agree as closely as double arithmetic lets them.
#pragma once

#include <random>
#include <string>

#include "graph/heads.h"
#include "interpreter.h"

namespace maskrt::testing {

/// Seeded numbers and constants.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  /// A multiple of 1/8 from -1/2 to 1/2.
  float eighth() { return static_cast<float>(between(-4, 4)) / 8; }

  graph::ConstantPtr constant(const std::string& name, Shape shape);
  /// Numbers from -4 to 4 that no short sum of others equals.
  graph::ConstantPtr irregular(const std::string& name, Shape shape);
  /// Fills a map with multiples of 1/8 from -1/2 to 1/2.
  Map map(const graph::Extent& extent);

  graph::Conv conv(const std::string& name, std::int64_t in, std::int64_t out, int kernel, bool bias = true);
  graph::Linear linear(const std::string& name, std::int64_t in, std::int64_t out);
  /// Variances 1/4, 1 or 4 and epsilon 0, so that the scale is exact too.
  graph::BatchNorm batch_norm(const std::string& name, std::int64_t channels);

 private:
  std::mt19937_64 engine_;
};

/// A narrow SparseInst with everything that the real one has: bottlenecks with BatchNorm, pyramid pooling, top-down
/// path, fusion, coordinates, grouped IAM (or softmax), and mask kernels. Values carry the names that the real one has.
graph::Graph small_sparse_inst(Dice& dice, bool softmax = false);

/// SparseInst's head on outputs named as it names them, with its usual settings.
graph::SparseInstHead sparse_inst_head(const graph::Graph& graph);

/// A default of each kind of operation, in the order of graph::Operation.
std::vector<graph::Operation> every_kind();

/// Each kind of operation at least once, with attributes that are not the defaults, on an input of 4 channels; all
/// values but the input are outputs.
graph::Graph every_operation(Dice& dice);

}  // namespace maskrt::testing
