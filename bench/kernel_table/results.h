// What maskrt-bench-cuda wrote with --benchmark_out.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace maskrt::bench {

/// One benchmark.
struct Result {
  std::string name;                        ///< "b1/fp16/backbone.res2.0.conv1/conv_sm90_72x128"
  std::string batch, precision, layer;     ///< parts of the name: "b1", "fp16", "backbone.res2.0.conv1"
  std::string kernel;                      ///< empty where it is of several
  std::map<std::string, double> counters;  ///< by name
  std::string config = {};                 ///< the network's
  bool has(const std::string& counter) const { return counters.count(counter) != 0; }
  double get(const std::string& counter) const;  ///< 0 where it has none
};

/// Throws Error that names the file where it is not such a file.
std::vector<Result> read_results(const std::string& file);

}  // namespace maskrt::bench
