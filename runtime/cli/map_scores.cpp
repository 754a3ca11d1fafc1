#include "map_scores.h"

#include <cstdio>
#include <utility>

#include "console.h"

namespace maskrt::cli {
namespace {

using namespace label_maps;
using nlohmann::ordered_json;

/// A line of a table: numbers from 0 to 1, a dash where nothing counts.
std::string number_text(double value) {
  if (value < 0) return "    -";
  char text[16];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

ordered_json number_json(double value) { return value < 0 ? ordered_json(nullptr) : ordered_json(value); }

void print_quality(const std::string& name, const Quality& quality, std::size_t count) {
  say("%-24s  %s  %s  %s  %6zu\n", name.c_str(), number_text(quality.pq).c_str(), number_text(quality.sq).c_str(),
      number_text(quality.rq).c_str(), count);
}

void add_quality(ordered_json& json, const std::string& suffix, const Quality& quality) {
  json["PQ" + suffix] = number_json(quality.pq);
  json["SQ" + suffix] = number_json(quality.sq);
  json["RQ" + suffix] = number_json(quality.rq);
}

}  // namespace

// ---- Panoptic -------------------------------------------------------------------------------------------------------

void print(const PanopticQuality& found, bool per_class) {
  say("%zu images\n%-24s  %5s  %5s  %5s  %6s\n", found.images, "", "PQ", "SQ", "RQ", "classes");
  print_quality("all", found.all.quality, found.all.categories);
  print_quality("things", found.things.quality, found.things.categories);
  print_quality("stuff", found.stuff.quality, found.stuff.categories);
  if (!per_class) return;
  say("\n%-24s  %5s  %5s  %5s  %6s  %6s  %6s\n", "", "PQ", "SQ", "RQ", "TP", "FP", "FN");
  for (const CategoryQuality& one : found.categories)
    say("%-24s  %s  %s  %s  %6zu  %6zu  %6zu\n", one.name.c_str(), number_text(one.quality.pq).c_str(),
        number_text(one.quality.sq).c_str(), number_text(one.quality.rq).c_str(), one.matches.matched,
        one.matches.false_positives, one.matches.missed);
}

ordered_json json_of(const PanopticQuality& found) {
  ordered_json json = {{"task", "panoptic"}, {"images", found.images}};
  add_quality(json, "", found.all.quality);
  add_quality(json, "_things", found.things.quality);
  add_quality(json, "_stuff", found.stuff.quality);
  json["classes"] = {
      {"all", found.all.categories}, {"things", found.things.categories}, {"stuff", found.stuff.categories}};
  json["per_class"] = ordered_json::array();
  for (const CategoryQuality& one : found.categories) {
    ordered_json entry;
    entry["id"] = one.id.is_text() ? ordered_json(one.id.text()) : ordered_json(one.id.number());
    entry["name"] = one.name;
    entry["isthing"] = one.is_thing;
    add_quality(entry, "", one.quality);
    entry["TP"] = one.matches.matched;
    entry["FP"] = one.matches.false_positives;
    entry["FN"] = one.matches.missed;
    json["per_class"].push_back(std::move(entry));
  }
  return json;
}

// ---- Semantic -------------------------------------------------------------------------------------------------------

void print(const SemanticScore& found, bool per_class) {
  say("%zu images, %zu pixels that count\n", found.images, static_cast<std::size_t>(found.pixels));
  const std::pair<const char*, double> rows[] = {{"mean IoU", found.mean_iou},
                                                 {"frequency-weighted IoU", found.weighted_iou},
                                                 {"mean accuracy", found.mean_accuracy},
                                                 {"pixel accuracy", found.pixel_accuracy}};
  for (const auto& [name, value] : rows) say("%-24s  %s\n", name, number_text(value).c_str());
  if (!per_class) return;
  say("\n%-24s  %5s  %8s  %12s\n", "", "IoU", "accuracy", "pixels");
  for (const ClassScore& one : found.classes)
    say("%-24s  %s  %8s  %12zu\n", one.name.c_str(), number_text(one.iou).c_str(), number_text(one.accuracy).c_str(),
        static_cast<std::size_t>(one.pixels.truth));
}

ordered_json json_of(const SemanticScore& found) {
  ordered_json json = {{"task", "semantic"},
                       {"images", found.images},
                       {"pixels", found.pixels},
                       {"mIoU", number_json(found.mean_iou)},
                       {"fwIoU", number_json(found.weighted_iou)},
                       {"mACC", number_json(found.mean_accuracy)},
                       {"pACC", number_json(found.pixel_accuracy)},
                       {"per_class", ordered_json::array()}};
  for (const ClassScore& one : found.classes)
    json["per_class"].push_back({{"name", one.name},
                                 {"IoU", number_json(one.iou)},
                                 {"ACC", number_json(one.accuracy)},
                                 {"pixels", one.pixels.truth}});
  return json;
}

}  // namespace maskrt::cli
