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

namespace {

/// The shortest text that reads back as the same number; as the same float where the number is one.
void append_number(std::string& out, double value) {
  char text[32];
  const bool fits = std::abs(value) <= std::numeric_limits<float>::max();
  const float single = fits ? static_cast<float>(value) : 0;
  const auto end = static_cast<double>(single) == value ? std::to_chars(text, text + sizeof(text), single)
                                                        : std::to_chars(text, text + sizeof(text), value);
  out.append(text, end.ptr);
}

}  // namespace

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

ResultsWriter::ResultsWriter(const std::filesystem::path& path) : file_(path), path_(path.string()) {}

void ResultsWriter::add(const CocoResult& result) {
  if (!is_finite(result)) {
    throw Error("cannot write result " + std::to_string(count_) + " to " + path_ +
                ": expected a finite score and box, found one that is not");
  }
  buffer_ += count_++ == 0 ? "[\n" : ",\n";
  append_result(buffer_, result);
  constexpr std::size_t enough = 1 << 20;
  if (buffer_.size() >= enough) flush();
}

void ResultsWriter::end_image() {
  images_end_.push_back(written_ + buffer_.size());
  if (file_.is_stream()) flush();
}

void ResultsWriter::finish() {
  buffer_ += count_ == 0 ? "[]\n" : "\n]\n";
  flush();
  file_.commit();
}

std::size_t ResultsWriter::keep() {
  if (images_end_.empty() && !file_.is_stream()) return 0;
  if (failed_ != 0 && file_.is_stream()) throw graph::WriteError(path_, failed_);
  if (failed_ == 0) {
    try {
      finish();
      return images_end_.size();
    } catch (const graph::WriteError&) {
      if (file_.is_stream()) throw;
    }
  }
  // The list ends after the last image that lies in the file as a whole, or before it where its end has no room either.
  const auto cut_off = std::upper_bound(images_end_.begin(), images_end_.end(), file_.size());
  auto images = static_cast<std::size_t>(cut_off - images_end_.begin());
  for (std::size_t fewer = 1; images > 0; fewer *= 2) {
    const std::uint64_t end = images_end_[images - 1];
    try {
      file_.cut(end);
      write(end == 0 ? "[]\n" : "\n]\n");
      file_.commit();
      return images;
    } catch (const graph::WriteError&) {
      images -= std::min(fewer, images);
    }
  }
  return 0;
}

void ResultsWriter::write(std::string_view text) {
  try {
    file_.write(std::as_bytes(std::span(text)));
  } catch (const graph::WriteError& error) {
    failed_ = error.reason();
    throw;
  }
}

void ResultsWriter::flush() {
  write(buffer_);
  written_ += buffer_.size();
  buffer_.clear();
}

}  // namespace maskrt::coco
