#include "category_check.h"

#include <algorithm>
#include <map>
#include <set>

namespace maskrt::cli {
namespace {

/// A category of either side.
struct Named {
  coco::Id id;
  std::string name;
};

/// What of a name is compared.
std::string essence(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

bool same_name(const Named& a, const Named& b) {
  return a.name.empty() || b.name.empty() || essence(a.name) == essence(b.name);
}

/// "class_" and a number: what maskrt-convert calls a class of which nobody told the name.
bool is_made_up(const Named& category) {
  const std::string_view name = category.name;
  return name.size() > 6 && name.substr(0, 6) == "class_" &&
         name.find_first_not_of("0123456789", 6) == std::string_view::npos;
}

std::string described(const Named& category) {
  const std::string id = category.id.described();
  return category.name.empty() ? id : id + " " + coco::Id(category.name).described();
}

/// "1 "cat", 2 "dog" and 78 more"
std::string list_text(std::span<const Named> categories) {
  constexpr std::size_t most = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(categories.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + described(categories[i]);
  if (categories.size() > most) text += " and " + std::to_string(categories.size() - most) + " more";
  return categories.empty() ? "none" : text;
}

/// The two lists side by side.
struct Comparison {
  std::size_t common = 0;
  std::vector<std::string> renamed;  ///< ids that both have, with other names
  std::string moved;                 ///< the first name that both have, under other ids
  std::size_t missing = 0;           ///< annotated categories that the model has not
  bool made_up = false;
};

Comparison compare(std::span<const Named> model, std::span<const Named> annotated) {
  std::map<coco::Id, const Named*> by_id;
  std::map<std::string, const Named*> by_name;
  for (const Named& category : annotated) {
    by_id.emplace(category.id, &category);
    if (!category.name.empty()) by_name.emplace(essence(category.name), &category);
  }
  Comparison comparison;
  std::size_t shared_ids = 0, made_up = 0;
  for (const Named& category : model) {
    const auto same_id = by_id.find(category.id);
    shared_ids += same_id == by_id.end() ? 0 : 1;
    if (same_id != by_id.end() && same_name(category, *same_id->second)) {
      ++comparison.common;
      continue;
    }
    if (is_made_up(category)) ++made_up;
    if (same_id != by_id.end())
      comparison.renamed.push_back(described(category) + " and " + described(*same_id->second));
    const auto same = by_name.find(essence(category.name));
    if (same != by_name.end() && comparison.moved.empty())
      comparison.moved = coco::Id(category.name).described() + " with the id " + category.id.described() + " where " +
                         "the annotations have " + same->second->id.described();
  }
  comparison.missing = annotated.size() - std::min(annotated.size(), shared_ids);
  comparison.made_up = made_up > 0 && made_up + comparison.common == model.size() && 2 * made_up >= model.size();
  return comparison;
}

/// Why the two cannot be compared; "" where they can.
std::string difference(const Comparison& comparison, std::size_t model, std::size_t annotated) {
  if (comparison.made_up) return "names that maskrt-convert made up";
  if (!comparison.moved.empty()) return comparison.moved;
  const std::size_t shorter = std::min(model, annotated);
  if (2 * comparison.common >= shorter && comparison.common > 0) return "";
  return (comparison.common == 0 ? "none" : std::to_string(comparison.common)) + " of " + std::to_string(shorter) +
         " in common";
}

std::vector<Named> named(std::span<const coco::CategoryEntry> entries) {
  std::vector<Named> categories;
  for (const coco::CategoryEntry& category : entries) categories.push_back({category.id, category.name});
  return categories;
}

/// Throws where the lists differ. `whose` has the categories `found`, the file `path` those of the annotations.
Comparison expect_same(std::span<const Named> found, std::span<const Named> annotated, const std::string& path,
                       const std::string& whose) {
  const Comparison comparison = compare(found, annotated);
  const std::string why = difference(comparison, found.size(), annotated.size());
  if (why.empty()) return comparison;
  const bool same_size = found.size() == annotated.size();
  throw Error("expected " + whose + " of the same ids and names as in " + path + ", found " + why + "\n  " + whose +
              ": " + list_text(found) + "\n  " + path + ": " + list_text(annotated) +
              "\nTo give the model the data set's categories, convert it with --labels" +
              (same_size ? "" : " and a list of all the classes that it was trained for") +
              ":\n  maskrt-convert CHECKPOINT --config CONFIG --labels " + (same_size ? path : "LABELS") +
              " -o MODEL\n--ignore-labels goes on regardless, by ids alone");
}

/// What differs but does not matter to most.
std::string remark_on(const Comparison& comparison, const std::string& path, bool all_known) {
  std::string remark;
  if (!comparison.renamed.empty())
    remark = std::to_string(comparison.renamed.size()) + " of the ids have other names in " + path + " (" +
             comparison.renamed.front() + (comparison.renamed.size() > 1 ? ", ..." : "") + ")";
  if (all_known && comparison.missing > 0)
    remark += (remark.empty() ? "" : "; ") + std::string("the model lacks ") + std::to_string(comparison.missing) +
              " of the categories of " + path + ", which count as not found";
  return remark;
}

}  // namespace

std::string check_categories(std::span<const Category> model, std::span<const coco::CategoryEntry> annotated,
                             const std::string& file) {
  std::vector<Named> categories;
  for (const Category& category : model) categories.push_back({category.id, category.name});
  return remark_on(expect_same(categories, named(annotated), file, "the model's categories"), file, true);
}

std::string check_categories(std::span<const coco::CocoResult> results, const coco::Annotations& annotations,
                             const std::string& results_name, bool ignore_labels) {
  std::set<coco::Id> known, unknown;
  for (const coco::CategoryEntry& category : annotations.categories) known.insert(category.id);
  std::map<coco::Id, std::string> names;
  std::size_t left_out = 0;
  bool all_named = !ignore_labels;
  for (const coco::CocoResult& result : results) {
    all_named = all_named && !result.category.empty();
    if (all_named) names.emplace(result.category_id, result.category);
    if (known.contains(result.category_id)) continue;
    unknown.insert(result.category_id);
    ++left_out;
  }
  const std::string path = annotations.path.string();
  std::string remark;
  if (all_named && !names.empty()) {
    std::vector<Named> categories;
    for (const auto& [id, name] : names) categories.push_back({id, name});
    remark = remark_on(
        expect_same(categories, named(annotations.categories), path, "the categories of " + results_name), path, false);
  }
  if (left_out == 0) return remark;
  std::vector<Named> others;
  for (const coco::Id& id : unknown) others.push_back({id, ""});
  if (left_out == results.size())
    throw Error("expected results of categories that " + path + " lists (" + list_text(named(annotations.categories)) +
                "), found none in " + results_name + ": the ids of their categories are " + list_text(others));
  return (remark.empty() ? "" : remark + "; ") + std::to_string(left_out) + " of the " +
         std::to_string(results.size()) + " results are left out, since " + path + " does not list their categories (" +
         list_text(others) + ")";
}

}  // namespace maskrt::cli
