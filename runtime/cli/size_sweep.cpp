#include "size_sweep.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "console.h"
#include "outputs.h"

namespace maskrt::cli {
namespace {

using Json = nlohmann::ordered_json;

bool on_gpu(const SweepSubject& subject) { return subject.model.device.starts_with("cuda"); }

/// "cpu, fp32, 2 threads, batch 1"
std::string subject_text(const SweepSubject& subject) {
  std::string text = subject.model.device + ", " + subject.model.precision;
  if (!on_gpu(subject))
    text += ", " + std::to_string(subject.threads) + (subject.threads == 1 ? " thread" : " threads");
  return text + ", batch " + std::to_string(subject.batch);
}

std::string bound_text(const InputSettings& input) {
  return input.max_size > 0 ? "longest edge at most " + std::to_string(input.max_size) : "longest edge without bound";
}

void print_titles(const SweepSubject& subject, const ResizeOptions& any_size) {
  say("%s on %s, %s\n\n", subject.model.name.c_str(), subject_text(subject).c_str(),
      bound_text(input_settings(subject.model, any_size)).c_str());
  say("%8s  %9s  %6s", "shortest", "input", "images");
  for (const SweepMetric& metric : subject.scoring.metrics)
    if (!metric.column.empty()) say("  %6s", metric.column.c_str());
  say("  %9s  %9s  %9s  %8s\n", "network", "post-proc", "whole ms", "frames/s");
}

void print_row(const SweepSubject& subject, const SizeFigures& size) {
  say("%8d  %9s  %6zu", size.input.min_size, size_text(size.usual_input).c_str(), size.images);
  for (std::size_t i = 0; i < size.metrics.size(); ++i) {
    if (subject.scoring.metrics[i].column.empty()) continue;
    if (size.metrics[i] < 0 && subject.scoring.none_is_null)
      say("  %6s", "-");
    else
      say("  %6.3f", size.metrics[i]);
  }
  say("  %9.2f  %9.2f  %9.2f  %8.2f\n", 1e3 * size.times.network, 1e3 * size.times.postprocess,
      1e3 * whole_seconds(size.times), frames_per_second(size.times));
}

void print_notes(const SweepSubject& subject) {
  say("\nmilliseconds an image, means; nothing else ran meanwhile. input: of most images, padded\n");
  if (on_gpu(subject))
    say("by the GPU's clock. network: all that it computes, from pixels to masks; post-proc: the results' way back;\n"
        "whole: with the pixels' way to it. ");
  else
    say("network: on all threads; post-proc: from its outputs to masks; whole: with resizing and normalising, without\n"
        "decoding. ");
  say("frames/s: of network and post-proc, as SparseInst's authors count\n");
}

void write_files(const SweepSubject& subject, std::span<const SizeFigures> sizes, const SweepFiles& files) {
  if (!files.json.empty()) write_text_file(files.json, sizes_json(subject, sizes));
  if (!files.plot.empty()) write_text_file(files.plot, svg_of(sizes_plot(subject, sizes)));
}

/// For a sweep that stops early.
void keep_files(const SweepSubject& subject, std::span<const SizeFigures> sizes, std::size_t all,
                const SweepFiles& files) noexcept {
  try {
    std::string sentence = "stopped after " + std::to_string(sizes.size()) + " of " + std::to_string(all) + " sizes";
    std::string names;
    for (const std::string& file : {files.json, files.plot})
      if (!file.empty()) names += (names.empty() ? "" : " and ") + display_name(file);
    if (!sizes.empty() && !names.empty()) {
      write_files(subject, sizes, files);
      sentence += "; their figures are in " + names;
    }
    report(sentence);
  } catch (const std::exception& error) {
    report(error.what());
  }
}

}  // namespace

SweepScoring average_precision(coco::IouType type) {
  const bool of_masks = type == coco::IouType::segm;
  constexpr std::size_t printed = 6;
  SweepScoring scoring{"iou_type", of_masks ? "segm" : "bbox", {}, of_masks ? "mask AP" : "box AP", "IoU 0.50:0.95",
                       false};
  for (std::size_t i = 0; i < coco::kMetricNames.size(); ++i)
    scoring.metrics.push_back({coco::kMetricNames[i], i < printed ? coco::kMetricNames[i] : ""});
  return scoring;
}

double whole_seconds(const Timings& times) { return times.preprocess + times.network + times.postprocess; }

double frames_per_second(const Timings& times) { return 1 / (times.network + times.postprocess); }

bool sweep_sizes(const SweepSubject& subject, std::span<const ResizeOptions> sizes, const SweepFiles& files,
                 const MeasureSize& measure) {
  std::vector<SizeFigures> measured;
  try {
    print_titles(subject, sizes.front());
    for (const ResizeOptions& size : sizes) {
      if (const std::optional<SizeFigures> figures = measure(size)) {
        measured.push_back(*figures);
        print_row(subject, *figures);
      } else {
        report("expected images that can be used with a shortest edge of " +
               std::to_string(input_settings(subject.model, size).min_size) + ", found none");
      }
    }
  } catch (...) {
    keep_files(subject, measured, sizes.size(), files);
    throw;
  }
  if (measured.empty()) return false;
  print_notes(subject);
  write_files(subject, measured, files);
  return measured.size() == sizes.size();
}

std::string sizes_json(const SweepSubject& subject, std::span<const SizeFigures> sizes) {
  Json json = {{"model", subject.model.name},
               {"version", version()},
               {"device", subject.model.device},
               {"precision", subject.model.precision},
               {"threads", subject.threads},
               {"batch", subject.batch},
               {subject.scoring.key, subject.scoring.value}};
  json["sizes"] = Json::array();
  for (const SizeFigures& size : sizes) {
    Json one = {{"min_size", size.input.min_size},
                {"max_size", size.input.max_size},
                {"input", size_text(size.usual_input)},
                {"images", size.images}};
    for (std::size_t i = 0; i < size.metrics.size(); ++i) {
      const bool none = size.metrics[i] < 0 && subject.scoring.none_is_null;
      one[subject.scoring.metrics[i].name] = none ? Json(nullptr) : Json(size.metrics[i]);
    }
    one["preprocess_ms"] = 1e3 * size.times.preprocess;
    one["network_ms"] = 1e3 * size.times.network;
    one["postprocess_ms"] = 1e3 * size.times.postprocess;
    one["whole_ms"] = 1e3 * whole_seconds(size.times);
    one["frames_per_second"] = frames_per_second(size.times);
    json["sizes"].push_back(std::move(one));
  }
  return json.dump(1);
}

LinePlot sizes_plot(const SweepSubject& subject, std::span<const SizeFigures> sizes) {
  const SweepScoring& scoring = subject.scoring;
  LinePlot plot;
  plot.title = subject.model.name + ": " + scoring.name + " against time";
  plot.subtitle = subject_text(subject);
  if (!sizes.empty()) plot.subtitle += ", " + std::to_string(sizes.front().images) + " images";
  plot.subtitle += "; at each point the input's shortest edge in pixels";
  plot.x_axis =
      on_gpu(subject) ? "GPU time, milliseconds an image" : "network and post-processing, milliseconds an image";
  plot.y_axis = scoring.name + (scoring.remark.empty() ? "" : " (" + scoring.remark + ")");
  for (const SizeFigures& size : sizes) {
    const double value = size.metrics.at(0) < 0 ? std::numeric_limits<double>::quiet_NaN() : size.metrics[0];
    plot.points.push_back({1e3 * (size.times.network + size.times.postprocess), value,
                           size.input.min_size == 0 ? "no resize" : std::to_string(size.input.min_size)});
  }
  return plot;
}

}  // namespace maskrt::cli
