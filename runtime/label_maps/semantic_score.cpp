#include "semantic_score.h"

#include <mutex>

#include "maskrt/types.hpp"
#include "runtime/coco/parallel.h"

namespace maskrt::label_maps {
namespace {

/// What the numbers of one map are, with a sentence for those that stand for nothing.
std::int32_t meaning(const LabelMap& map, std::size_t pixel, const LabelNumbers& numbers, const char* whose) {
  const std::uint16_t label = map.labels[pixel];
  const std::int32_t found = numbers[label];
  if (found != kUnknown) return found;
  const std::size_t width = static_cast<std::size_t>(map.width);
  throw Error("expected labels of the classes in the " + std::string(whose) + ", found " + std::to_string(label) +
              " at x " + std::to_string(pixel % width) + ", y " + std::to_string(pixel / width));
}

double share(std::uint64_t part, std::uint64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

void SemanticScorer::add(const LabelMap& truth, const LabelNumbers& truth_numbers, const LabelMap& result,
                         const LabelNumbers& result_numbers) {
  if (truth.width != result.width || truth.height != result.height)
    throw Error("expected a result of " + size_text(truth.width, truth.height) + " pixels as the truth has, found " +
                size_text(result.width, result.height));
  for (std::size_t pixel = 0; pixel < truth.labels.size(); ++pixel) {
    const std::int32_t is = meaning(truth, pixel, truth_numbers, "truth");
    const std::int32_t found = meaning(result, pixel, result_numbers, "result");
    if (is == kIgnored) continue;
    ++pixels_[static_cast<std::size_t>(is)].truth;
    if (found == is) ++pixels_[static_cast<std::size_t>(is)].both;
    if (found != kIgnored) ++pixels_[static_cast<std::size_t>(found)].result;
  }
  ++images_;
}

void SemanticScorer::add(const SemanticScorer& other) {
  for (std::size_t i = 0; i < pixels_.size(); ++i) {
    pixels_[i].truth += other.pixels_[i].truth;
    pixels_[i].result += other.pixels_[i].result;
    pixels_[i].both += other.pixels_[i].both;
  }
  images_ += other.images_;
}

SemanticScore SemanticScorer::score(const LabelClasses& table) const {
  SemanticScore score;
  score.images = images_;
  std::uint64_t right = 0;
  for (const ClassPixels& one : pixels_) {
    score.pixels += one.truth;
    right += one.both;
  }
  double iou_sum = 0, weighted_sum = 0, accuracy_sum = 0;
  std::size_t counted = 0;
  for (std::size_t i = 0; i < pixels_.size(); ++i) {
    const ClassPixels& one = pixels_[i];
    ClassScore made{table.classes[i].name, one};
    if (one.truth > 0) {
      made.iou = share(one.both, one.truth + one.result - one.both);
      made.accuracy = share(one.both, one.truth);
      iou_sum += made.iou;
      weighted_sum += made.iou * share(one.truth, score.pixels);
      accuracy_sum += made.accuracy;
      ++counted;
    }
    score.classes.push_back(std::move(made));
  }
  if (counted == 0) return score;
  score.mean_iou = iou_sum / static_cast<double>(counted);
  score.weighted_iou = weighted_sum;
  score.mean_accuracy = accuracy_sum / static_cast<double>(counted);
  score.pixel_accuracy = share(right, score.pixels);
  return score;
}

SemanticScore score_maps(std::span<const MapPair> pairs, const LabelClasses& table, const SemanticOptions& options) {
  SemanticScorer all(table.classes.size());
  std::mutex mutex;
  coco::parallel_for(pairs.size(), options.threads, [&](std::size_t i) {
    const LabelMap truth = read_label_map(pairs[i].truth), result = read_label_map(pairs[i].result);
    SemanticScorer one(table.classes.size());
    try {
      one.add(truth, table.numbers(options.truths), result, table.numbers(options.results));
    } catch (const Error& error) {
      throw Error(pairs[i].result.string() + " and " + pairs[i].truth.string() + ": " + error.what());
    }
    const std::lock_guard lock(mutex);
    all.add(one);
  });
  return all.score(table);
}

}  // namespace maskrt::label_maps
