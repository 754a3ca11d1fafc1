#include "results.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "json_records.h"
#include "result_text.h"
#include "segmentation.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;

/// Results keep masks as compressed runs, but for outlines: these need the image's size, which a results file does not
/// state.
void read_mask(const Record& record, CocoResult& result) {
  Segmentation segmentation = read_segmentation(record);
  if (auto* compressed = std::get_if<Rle>(&segmentation)) result.segmentation = std::move(*compressed);
  if (auto* polygons = std::get_if<Polygons>(&segmentation)) result.outlines = std::move(*polygons);
  const auto* runs = std::get_if<RunCounts>(&segmentation);
  if (runs == nullptr) return;
  try {
    result.segmentation =
        Rle{runs->height, runs->width, rle::to_string(rle::from_counts(runs->height, runs->width, runs->counts))};
  } catch (const Error& error) {
    throw Error(record.where() + ": " + error.what());
  }
}

}  // namespace

void append_id(std::string& out, const Id& id) {
  if (id.is_text())
    append_string(out, id.text());
  else
    out += std::to_string(id.number());
}

void append_string(std::string& out, const std::string& text) {
  out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_finite(const CocoResult& result) {
  if (!std::isfinite(result.score)) return false;
  if (!result.bbox) return true;
  return std::all_of(result.bbox->begin(), result.bbox->end(), [](double number) { return std::isfinite(number); });
}

void append_number(std::string& out, double value) {
  char text[32];
  const bool fits = std::abs(value) <= std::numeric_limits<float>::max();
  const float single = fits ? static_cast<float>(value) : 0;
  const auto end = static_cast<double>(single) == value ? std::to_chars(text, text + sizeof(text), single)
                                                        : std::to_chars(text, text + sizeof(text), value);
  out.append(text, end.ptr);
}

void append_result(std::string& out, const CocoResult& result) {
  out += '{';
  if (!result.file_name.empty()) {
    out += "\"file_name\": ";
    append_string(out, result.file_name);
    out += ", ";
  }
  out += "\"image_id\": ";
  append_id(out, result.image_id);
  out += ", \"category_id\": ";
  append_id(out, result.category_id);
  if (!result.category.empty()) {
    out += ", \"category\": ";
    append_string(out, result.category);
  }
  if (result.bbox) {
    out += ", \"bbox\": [";
    for (std::size_t i = 0; i < 4; ++i) {
      if (i != 0) out += ", ";
      append_number(out, (*result.bbox)[i]);
    }
    out += ']';
  }
  out += ", \"score\": ";
  append_number(out, result.score);
  if (const auto& mask = result.segmentation) {
    out += ", \"segmentation\": {\"size\": [" + std::to_string(mask->height) + ", " + std::to_string(mask->width) +
           "], \"counts\": ";
    append_string(out, mask->counts);
    out += '}';
  }
  if (!result.overlay.empty()) {
    out += ", \"overlay\": ";
    append_string(out, result.overlay);
  }
  if (!result.mask_file.empty()) {
    out += ", \"mask_file\": ";
    append_string(out, result.mask_file);
  }
  if (!result.activations_file.empty()) {
    out += ", \"activations_file\": ";
    append_string(out, result.activations_file);
  }
  out += '}';
}

CocoResult read_result(const Record& record, bool with_mask) {
  CocoResult result;
  result.file_name = record.text("file_name");
  result.image_id = record.id("image_id");
  result.category_id = record.id("category_id");
  result.category = record.text("category");
  result.bbox = record.box("bbox");
  result.score = record.number("score");
  if (with_mask) read_mask(record, result);
  result.overlay = record.text("overlay");
  result.mask_file = record.text("mask_file");
  result.activations_file = record.text("activations_file");
  return result;
}

std::vector<CocoResult> read_results(const std::filesystem::path& path, IouType type) {
  std::vector<CocoResult> results;
  bool with_masks = true;
  read_list(path, "results", [&](const Record& record) {
    if (results.empty() && type == IouType::bbox) with_masks = !record.box("bbox").has_value();
    results.push_back(read_result(record, with_masks));
  });
  return results;
}

void ResultsWriter::add(const CocoResult& result) {
  if (!is_finite(result)) {
    throw Error("cannot write result " + std::to_string(list_.count()) + " to " + list_.path() +
                ": expected a finite score and box, found one that is not");
  }
  std::string record;
  append_result(record, result);
  list_.add(record);
}

}  // namespace maskrt::coco
