#include "map_truths.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <system_error>

#include "category_check.h"
#include "map_overlays.h"
#include "map_scores.h"
#include "runtime/label_maps/map_files.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;
using namespace label_maps;

std::size_t limited(std::size_t count, std::size_t limit) { return limit == 0 ? count : std::min(count, limit); }

/// Throws Error where pictures are missing.
void expect_all(std::size_t wanted, std::size_t missing, const std::string& first, const MapFiles& files) {
  if (missing > 0)
    throw Error("expected pictures of all " + std::to_string(wanted) + " images of " + files.annotations + " in " +
                files.images + ", " + std::to_string(missing) + (missing == 1 ? " is" : " are") +
                " missing, the first is of " + first);
}

void expect_size(const fs::path& picture, const Image& image, const fs::path& truth, int width, int height) {
  if (image.width() == width && image.height() == height) return;
  const bool turned = image.width() == height && image.height() == width;
  throw Error("expected " + picture.string() + " of " + label_maps::size_text(width, height) + " as " + truth.string() +
              " has, found " + label_maps::size_text(image.width(), image.height()) +
              (turned ? "; if the annotations are of the pixels as stored, use --no-exif" : ""));
}

/// Does `work` on a picture's annotations, whose errors name them.
template <typename Work>
auto comparing(const fs::path& picture, const fs::path& truth, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    throw Error(picture.string() + " and " + truth.string() + ": " + error.what());
  }
}

// ---- Semantic -------------------------------------------------------------------------------------------------------

class SemanticTruths final : public MapTruths {
 public:
  SemanticTruths(const MapOptions& options, const MapFiles& files, std::size_t limit)
      : classes_file_(fs::exists(options.classes) ? options.classes : ""), table_([&] {
          std::optional<std::uint16_t> ignored;
          if (options.ignored) ignored = static_cast<std::uint16_t>(*options.ignored);
          return read_classes(options.classes, ignored);
        }()) {
    const TruthMaps found = find_truth_maps(files.annotations, table_.names, options.annotation_numbering);
    numbering_ = found.numbering;
    const std::map<std::string, fs::path> pictures = pictures_by_image(files.images, table_.names);
    const std::size_t wanted = limited(found.files.size(), limit);
    std::size_t missing = 0, number = 0;
    std::string first;
    for (const auto& [image, truth] : found.files) {
      if (number++ == wanted) break;
      const auto picture = pictures.find(image);
      if (picture == pictures.end()) {
        if (missing++ == 0) first = image;
        continue;
      }
      truths_.push_back(truth);
      stems_.push_back(image);
      pictures_.push_back({picture->second, picture->second.filename().string(), coco::Id(image)});
    }
    expect_all(wanted, missing, first, files);
  }

  void add_inputs(graph::FileRoles& roles) const override {
    roles.input(classes_file_);
    for (std::size_t i = 0; i < truths_.size(); ++i) {
      roles.input(truths_[i]);
      roles.input(pictures_[i].path);
    }
  }

  std::string check(const ModelInfo& model, bool ignore_labels) const override {
    // Results are positions of the model's classes, and those of the data set count likewise.
    std::vector<Category> positions = model.categories;
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i].id = static_cast<int>(i);
    std::vector<coco::CategoryEntry> classes;
    for (const LabelClass& one : table_.classes)
      classes.push_back({coco::Id(static_cast<std::int64_t>(classes.size())), one.name});
    std::string remark;
    if (!ignore_labels) remark = check_categories(positions, classes, table_.name);
    if (positions.size() != classes.size())
      throw Error("expected a model of the " + std::to_string(classes.size()) + " classes of " + table_.name +
                  ", found one of " + std::to_string(positions.size()));
    return remark;
  }

  SweepScoring scoring() const override {
    return {"task",     "semantic", {{"mIoU", "mIoU"}, {"fwIoU", "fwIoU"}, {"mACC", "mACC"}, {"pACC", "pACC"}},
            "mean IoU", "",         true};
  }

  std::unique_ptr<MapScoring> begin() const override;

  const fs::path& truth(std::size_t picture) const { return truths_[picture]; }
  const LabelClasses& table() const { return table_; }
  const LabelNumbers& numbers() const { return table_.numbers(numbering_); }

 private:
  std::string classes_file_;
  LabelClasses table_;
  Numbering numbering_ = Numbering::ids;
  std::vector<fs::path> truths_;
};

class SemanticScoring final : public MapScoring {
 public:
  explicit SemanticScoring(const SemanticTruths& truths)
      : truths_(truths), classes_(truths.table().classes.size()), scorer_(classes_) {
    for (std::size_t i = 0; i < classes_; ++i)
      result_numbers_.set(static_cast<std::uint16_t>(i), static_cast<std::int32_t>(i));
    result_numbers_.set(ignored_label(classes_), kIgnored);
  }

  void compare(std::size_t picture, const Image& image, const Result& result) override {
    const LabelMap truth = read_label_map(truths_.truth(picture));
    const fs::path& path = truths_.pictures()[picture].path;
    expect_size(path, image, truths_.truth(picture), truth.width, truth.height);
    SemanticScorer one(classes_);
    comparing(path, truths_.truth(picture), [&] {
      one.add(truth, truths_.numbers(), label_map_of(std::get<SemanticMap>(result), classes_), result_numbers_);
    });
    counted_.put(picture, std::move(one));
  }

  void take(std::size_t picture) override {
    if (const std::optional<SemanticScorer> one = counted_.take(picture)) scorer_.add(*one);
  }

  std::size_t images() const override { return score().images; }
  void print(bool per_class) const override { cli::print(score(), per_class); }
  nlohmann::ordered_json json() const override { return json_of(score()); }
  std::vector<double> metrics() const override {
    const SemanticScore found = score();
    return {found.mean_iou, found.weighted_iou, found.mean_accuracy, found.pixel_accuracy};
  }

 private:
  SemanticScore score() const { return scorer_.score(truths_.table()); }

  const SemanticTruths& truths_;
  std::size_t classes_;
  LabelNumbers result_numbers_;
  Pending<SemanticScorer> counted_;
  SemanticScorer scorer_;
};

std::unique_ptr<MapScoring> SemanticTruths::begin() const { return std::make_unique<SemanticScoring>(*this); }

// ---- Panoptic -------------------------------------------------------------------------------------------------------

/// Cityscapes' panoptic maps are called after the picture's city, sequence and frame.
MapNames names_of(std::span<const PanopticImage> images) {
  const bool cityscapes = std::all_of(images.begin(), images.end(), [](const PanopticImage& image) {
    return image.file_name.ends_with("_gtFine_panoptic.png");
  });
  return cityscapes ? MapNames::cityscapes : MapNames::same;
}

class PanopticTruths final : public MapTruths {
 public:
  PanopticTruths(const MapOptions& options, const MapFiles& files, std::size_t limit)
      : set_(read_panoptic_annotations(files.annotations, options.annotation_maps)) {
    if (set_.images.empty()) throw Error("expected annotations of images in " + files.annotations + ", found none");
    set_.images.resize(limited(set_.images.size(), limit));
    const MapNames names = names_of(set_.images);
    std::optional<std::map<std::string, fs::path>> listed;  // once a picture is not where its file_name says
    const auto find = [&](const PanopticImage& image) -> fs::path {
      std::error_code ignored;
      const fs::path named = fs::path(files.images) / image.picture;
      if (!image.picture.empty() && fs::is_regular_file(named, ignored)) return named;
      if (!listed) listed = pictures_by_image(files.images, names);
      const auto found = listed->find(image_of(image.file_name, names));
      return found == listed->end() ? fs::path() : found->second;
    };
    std::size_t missing = 0;
    std::string first;
    for (const PanopticImage& image : set_.images) {
      const fs::path picture = find(image);
      if (picture.empty() && missing++ == 0)
        first = image.picture.empty() ? image_of(image.file_name, names) : image.picture;
      stems_.push_back(fs::path(image.file_name).stem().string());
      pictures_.push_back({picture, picture.filename().string(), image.id});
    }
    expect_all(set_.images.size(), missing, first, files);
    for (std::size_t i = 0; i < set_.categories.size(); ++i) places_.emplace(set_.categories[i].id, i);
  }

  void add_inputs(graph::FileRoles& roles) const override {
    roles.input(set_.path);
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      roles.input(truth(i));
      roles.input(pictures_[i].path);
    }
  }

  std::string check(const ModelInfo& model, bool ignore_labels) const override {
    std::vector<coco::CategoryEntry> listed;
    for (const PanopticCategory& one : set_.categories) listed.push_back({one.id, one.name});
    std::string remark;
    if (!ignore_labels) remark = check_categories(model.categories, listed, set_.path.string());
    std::size_t others = 0;
    std::string first;
    for (const Category& category : model.categories) {
      const auto place = places_.find(category.id);
      if (place == places_.end() || set_.categories[place->second].is_thing == category.is_thing) continue;
      if (others++ == 0)
        first = coco::Id(category.id).described() + ", " + (category.is_thing ? "a thing" : "stuff") + " to the model";
    }
    if (others > 0)
      remark += (remark.empty() ? "" : "; ") + std::to_string(others) + (others == 1 ? " is" : " are") +
                " a thing in one of model and " + set_.path.string() + " and stuff in the other (the first is " +
                first + ")";
    return remark;
  }

  SweepScoring scoring() const override {
    return {"task",
            "panoptic",
            {{"PQ", "PQ"},
             {"SQ", "SQ"},
             {"RQ", "RQ"},
             {"PQ_things", "PQth"},
             {"SQ_things", ""},
             {"RQ_things", ""},
             {"PQ_stuff", "PQst"},
             {"SQ_stuff", ""},
             {"RQ_stuff", ""}},
            "PQ",
            "panoptic quality",
            true};
  }

  std::unique_ptr<MapScoring> begin() const override;

  fs::path truth(std::size_t picture) const { return set_.maps / set_.images[picture].file_name; }
  const PanopticSet& set() const { return set_; }
  /// Of a category in the annotations' list; nothing where they do not list it.
  std::optional<std::size_t> place_of(int category) const {
    const auto place = places_.find(category);
    return place == places_.end() ? std::nullopt : std::optional(place->second);
  }

 private:
  PanopticSet set_;
  std::map<coco::Id, std::size_t> places_;
};

class PanopticScoring final : public MapScoring {
 public:
  explicit PanopticScoring(const PanopticTruths& truths) : truths_(truths), scorer_(truths.set().categories) {}

  void compare(std::size_t picture, const Image& image, const Result& result) override {
    const auto& found = std::get<PanopticMap>(result);
    const SegmentMap truth = read_segment_map(truths_.truth(picture));
    const fs::path& path = truths_.pictures()[picture].path;
    expect_size(path, image, truths_.truth(picture), truth.width, truth.height);
    SegmentMap map = segment_map_of(found);
    std::vector<SegmentInfo> segments;
    std::set<std::uint32_t> unlisted;
    for (const PanopticSegment& segment : found.segments) {
      const auto id = static_cast<std::uint32_t>(segment.id);
      if (const std::optional<std::size_t> place = truths_.place_of(segment.category_id)) {
        segments.emplace_back();
        segments.back().id = id;
        segments.back().category = *place;
      } else {
        unlisted.insert(id);
      }
    }
    if (!unlisted.empty()) {
      left_out_ += unlisted.size();
      for (std::uint32_t& id : map.ids)
        if (unlisted.contains(id)) id = 0;
    }
    const PanopticSet& set = truths_.set();
    counted_.put(picture, comparing(path, truths_.truth(picture), [&] {
                   return those_that_count(
                       match_segments(truth, set.images[picture].segments, map, segments, set.categories.size()));
                 }));
  }

  void take(std::size_t picture) override {
    if (const std::optional<ImageMatches> matches = counted_.take(picture)) scorer_.add(*matches);
  }

  std::size_t images() const override { return scorer_.images(); }
  std::string remark() const override {
    const std::size_t count = left_out_;
    if (count == 0) return "";
    return std::to_string(count) + (count == 1 ? " segment is" : " segments are") + " left out, since " +
           truths_.set().path.string() + " does not list " + (count == 1 ? "its category" : "their categories");
  }
  void print(bool per_class) const override { cli::print(scorer_.quality(), per_class); }
  nlohmann::ordered_json json() const override { return json_of(scorer_.quality()); }
  std::vector<double> metrics() const override {
    const PanopticQuality found = scorer_.quality();
    std::vector<double> numbers;
    for (const MeanQuality* mean : {&found.all, &found.things, &found.stuff})
      numbers.insert(numbers.end(), {mean->quality.pq, mean->quality.sq, mean->quality.rq});
    return numbers;
  }

 private:
  const PanopticTruths& truths_;
  std::atomic<std::size_t> left_out_ = 0;
  Pending<ImageMatches> counted_;
  PanopticScorer scorer_;
};

std::unique_ptr<MapScoring> PanopticTruths::begin() const { return std::make_unique<PanopticScoring>(*this); }

}  // namespace

std::unique_ptr<MapTruths> semantic_truths(const MapOptions& options, const MapFiles& files, std::size_t limit) {
  return std::make_unique<SemanticTruths>(options, files, limit);
}

std::unique_ptr<MapTruths> panoptic_truths(const MapOptions& options, const MapFiles& files, std::size_t limit) {
  return std::make_unique<PanopticTruths>(options, files, limit);
}

}  // namespace maskrt::cli
