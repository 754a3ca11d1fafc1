#include "results.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "json_records.h"
#include "segmentation.h"

namespace maskrt::coco {
namespace {

using nlohmann::json;

/// Results keep masks as compressed runs. Outlines need the image's size, which a results file does not state.
std::optional<Rle> read_mask(const Record& record) {
  Segmentation segmentation = read_segmentation(record);
  if (std::holds_alternative<std::monostate>(segmentation)) return std::nullopt;
  if (auto* compressed = std::get_if<Rle>(&segmentation)) return std::move(*compressed);
  const auto* runs = std::get_if<RunCounts>(&segmentation);
  if (runs == nullptr) record.fail("segmentation", "an object with size and counts", record.find("segmentation"));
  try {
    return Rle{runs->height, runs->width, rle::to_string(rle::from_counts(runs->height, runs->width, runs->counts))};
  } catch (const Error& error) {
    throw Error(record.where() + ": " + error.what());
  }
}

/// A JSON string. Names come from file systems and other people's files, so their bytes may be anything.
void append_string(std::string& out, const std::string& text) {
  out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The shortest text that reads back as the same number; as the same float where the number is one.
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
  out += "\"image_id\": " + std::to_string(result.image_id);
  out += ", \"category_id\": " + std::to_string(result.category_id);
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
  out += '}';
}

}  // namespace

std::vector<CocoResult> read_results(const std::filesystem::path& path) {
  std::vector<CocoResult> results;
  read_list(path, "results", [&](const Record& record) {
    CocoResult result;
    result.file_name = record.text("file_name");
    result.image_id = record.integer("image_id");
    result.category_id = record.integer("category_id");
    result.category = record.text("category");
    result.bbox = record.box("bbox");
    result.score = record.number("score");
    result.segmentation = read_mask(record);
    results.push_back(std::move(result));
  });
  return results;
}

ResultsWriter::ResultsWriter(const std::filesystem::path& path) : file_(path), path_(path.string()) {}

void ResultsWriter::add(const CocoResult& result) {
  bool finite = std::isfinite(result.score);
  if (result.bbox) {
    for (const double number : *result.bbox) finite = finite && std::isfinite(number);
  }
  if (!finite) {
    throw Error("cannot write result " + std::to_string(count_) + " to " + path_ +
                ": expected a finite score and box, found one that is not");
  }
  buffer_ += count_++ == 0 ? "[\n" : ",\n";
  append_result(buffer_, result);
  constexpr std::size_t enough = 1 << 20;
  if (buffer_.size() >= enough) flush();
}

void ResultsWriter::finish() {
  buffer_ += count_ == 0 ? "[]\n" : "\n]\n";
  flush();
  file_.commit();
}

void ResultsWriter::flush() {
  file_.write(std::as_bytes(std::span(buffer_)));
  buffer_.clear();
}

}  // namespace maskrt::coco
