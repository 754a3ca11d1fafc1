#include "conv_times.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "kernels/conv/tuning_lines.h"

namespace maskrt::cpu {
namespace {

using kernels::ConvAlgorithm;
using kernels::ConvProblem;

constexpr std::string_view kSeparator = " | ";

std::string number(std::int64_t n) { return std::to_string(n); }

std::string threads_and(int threads, const std::string& what) { return number(threads) + " threads " + what; }

std::string tensor_text(const kernels::Tensor& t) {
  std::string text = std::string(name_of(t.type)) + " " + number(t.channels) + " block " + number(t.block);
  if (t.block > 1 && t.pixel_stride != t.block) text += " of " + number(t.pixel_stride);
  return text;
}

/// All that a time depends on but the size of the map.
std::string layer_of(const ConvProblem& p, int threads) {
  const kernels::ConvGeometry& g = p.geometry;
  return threads_and(threads, tensor_text(p.in) + " -> " + tensor_text(p.out)) + " " + number(g.kernel_height) + "x" +
         number(g.kernel_width) + " stride " + number(g.stride) + " padding " + number(g.padding) + " dilation " +
         number(g.dilation) + " groups " + number(g.groups);
}

std::string size_of_map(const ConvProblem& p) {
  std::string text = number(p.in.batch) + "x" + number(p.in.height) + "x" + number(p.in.width);
  if (!kernels::onednn::dense_batch(p.in) || !kernels::onednn::dense_batch(p.out))
    text += " images " + number(p.in.batch_stride) + " and " + number(p.out.batch_stride) + " apart";
  return text;
}

double area_of(const ConvProblem& p) { return static_cast<double>(p.in.batch * p.in.height * p.in.width); }

/// "1x80x108", whatever comes after it; 0 for other text.
double area_of(std::string_view size) {
  double area = 1;
  for (int axis = 0; axis < 3; ++axis) {
    int length = 0;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), length);
    if (error != std::errc() || length < 1) return 0;
    area *= length;
    size.remove_prefix(static_cast<std::size_t>(end - size.data()));
    if (axis == 2) break;
    if (!size.starts_with('x')) return 0;
    size.remove_prefix(1);
  }
  return size.empty() || size.front() == ' ' ? area : 0;
}

constexpr std::array<std::pair<ConvAlgorithm, std::string_view>, 3> kNames{
    {{ConvAlgorithm::direct, "direct"}, {ConvAlgorithm::winograd, "winograd"}, {ConvAlgorithm::free, "free"}}};

std::string name_of(ConvAlgorithm algorithm) {
  for (const auto& [known, name] : kNames)
    if (known == algorithm) return std::string(name);
  return "none";
}

std::optional<ConvAlgorithm> algorithm_named(std::string_view name) {
  for (const auto& [algorithm, known] : kNames)
    if (known == name) return algorithm;
  return std::nullopt;
}

std::string text_of(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

}  // namespace

ConvTimes ConvTimes::parse(std::string_view text, std::string_view file, std::string processor) {
  ConvTimes times(std::move(processor));
  const std::string own = "cpu " + times.processor_ + std::string(kSeparator);
  for (const kernels::TuningLine& line : kernels::tuning_lines(text, file)) {
    if (!line.of_cpu()) {
      times.others_.emplace(line.text);
      continue;
    }
    const std::optional<ConvAlgorithm> algorithm = algorithm_named(line.choice);
    double value = 0;
    const char* const end = line.value.data() + line.value.size();
    const auto [last, error] = std::from_chars(line.value.data(), end, value);
    if (!algorithm || error != std::errc() || last != end || !std::isfinite(value) || value <= 0)
      throw no_tuning_line(file, line);
    if (!line.problem.starts_with(own)) {
      times.others_.emplace(line.text);
    } else if (!times.read_size(line.problem.substr(own.size()), {*algorithm, value})) {
      throw no_tuning_line(file, line);
    }
  }
  return times;
}

/// "layer | size" into the table; false for other text.
bool ConvTimes::read_size(std::string_view problem, const ConvTime& time) {
  const std::size_t end = problem.rfind(kSeparator);
  if (end == std::string_view::npos || end == 0) return false;
  const std::string layer(problem.substr(0, end)), size(problem.substr(end + kSeparator.size()));
  if (size == "rate") {
    rates_[layer] = time.seconds;
    return true;
  }
  const double area = area_of(size);
  if (area > 0) set(layer, size, {area, time});
  return area > 0;
}

std::string ConvTimes::text() const {
  std::string text;
  const auto line = [&](const std::string& layer, const std::string& size, const ConvTime& time) {
    text += "cpu " + processor_ + std::string(kSeparator) + layer + std::string(kSeparator) + size + ": " +
            name_of(time.algorithm) + " / " + text_of(time.seconds) + "\n";
  };
  for (const auto& [layer, rate] : rates_) line(layer, "rate", {ConvAlgorithm::direct, rate});
  for (const auto& [layer, sizes] : layers_)
    for (const auto& [size, entry] : sizes) line(layer, size, entry.time);
  for (const std::string& other : others_) text += other + "\n";
  return text;
}

std::optional<ConvTime> ConvTimes::find(const ConvProblem& problem, int threads) const {
  const auto layer = layers_.find(layer_of(problem, threads));
  if (layer == layers_.end()) return std::nullopt;
  const auto size = layer->second.find(size_of_map(problem));
  if (size == layer->second.end()) return std::nullopt;
  return size->second.time;
}

std::optional<ConvTime> ConvTimes::nearest(const ConvProblem& problem, int threads, double most_ratio) const {
  const auto layer = layers_.find(layer_of(problem, threads));
  if (layer == layers_.end()) return std::nullopt;
  const double area = area_of(problem);
  const Entry* best = nullptr;
  const auto ratio = [&](const Entry& entry) { return std::max(entry.area, area) / std::min(entry.area, area); };
  for (const auto& [size, entry] : layer->second)
    if (best == nullptr || std::pair(ratio(entry), entry.area) < std::pair(ratio(*best), best->area)) best = &entry;
  if (best == nullptr || ratio(*best) > most_ratio) return std::nullopt;
  return ConvTime{best->time.algorithm, best->time.seconds * area / best->area};
}

void ConvTimes::set(const std::string& layer, const std::string& size, const Entry& entry) {
  const bool is_new = layers_[layer].insert_or_assign(size, entry).second;
  size_ += is_new ? 1 : 0;
}

void ConvTimes::set(const ConvProblem& problem, int threads, const ConvTime& time) {
  set(layer_of(problem, threads), size_of_map(problem), {area_of(problem), time});
}

std::optional<double> ConvTimes::rate(DataType type, int threads) const {
  const auto rate = rates_.find(threads_and(threads, std::string(maskrt::name_of(type))));
  return rate != rates_.end() ? std::optional(rate->second) : std::nullopt;
}

void ConvTimes::set_rate(DataType type, int threads, double rate) {
  rates_[threads_and(threads, std::string(maskrt::name_of(type)))] = rate;
}

void ConvTimes::add(const ConvTimes& other) {
  for (const auto& [layer, rate] : other.rates_) rates_[layer] = rate;
  for (const auto& [layer, sizes] : other.layers_)
    for (const auto& [size, entry] : sizes) set(layer, size, entry);
  others_.insert(other.others_.begin(), other.others_.end());
}

void ConvTimes::clear() {
  layers_.clear();
  size_ = 0;
}

}  // namespace maskrt::cpu
