#include "results.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "maskrt/types.hpp"

namespace maskrt::bench {
namespace {

/// Splits the name at its slashes and drops what Google Benchmark adds ("iterations:1").
Result named(const std::string& name) {
  Result result;
  result.name = name.substr(0, name.find("/iterations:"));
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= result.name.size();) {
    const std::size_t end = std::min(result.name.find('/', begin), result.name.size());
    parts.push_back(result.name.substr(begin, end - begin));
    begin = end + 1;
  }
  if (parts.size() > 0) result.batch = parts[0];
  if (parts.size() > 1) result.precision = parts[1];
  if (parts.size() > 2) result.layer = parts[2];
  if (parts.size() > 3) result.kernel = parts[3];
  return result;
}

}  // namespace

double Result::get(const std::string& counter) const {
  const auto found = counters.find(counter);
  return found == counters.end() ? 0 : found->second;
}

std::vector<Result> read_results(const std::string& file) {
  std::ifstream stream(file);
  const nlohmann::json json = nlohmann::json::parse(stream, nullptr, false);
  if (!json.is_object() || !json.contains("benchmarks"))
    throw Error(file + ": expected what maskrt-bench-cuda --benchmark_out writes, found something else");
  const std::string config = json.value("context", nlohmann::json::object()).value("config", "");
  std::vector<Result> results;
  for (const auto& benchmark : json["benchmarks"]) {
    if (benchmark.value("error_occurred", false)) continue;
    Result result = named(benchmark.at("name").get<std::string>());
    result.config = config;
    for (const auto& [key, value] : benchmark.items())
      if (value.is_number()) result.counters[key] = value.get<double>();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace maskrt::bench
