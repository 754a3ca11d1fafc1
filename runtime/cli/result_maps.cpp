#include "result_maps.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <utility>

#include "console.h"
#include "graph/safetensors.h"
#include "options.h"
#include "outputs.h"
#include "palette.h"
#include "segment_drawings.h"

namespace maskrt::cli {

namespace fs = std::filesystem;

void add_result_map_options(CLI::App& command, ResultMapOptions& options) {
  command
      .add_option_function<std::string>(
          "--task",
          [&options](const std::string& name) {
            options.task = name == "semantic" ? Task::semantic : name == "panoptic" ? Task::panoptic : Task::instances;
          },
          "What to find: instances (default), semantic (a class for each pixel)\nor panoptic (a segment for each "
          "pixel)")
      ->check(one_of({"instance", "instances", "semantic", "panoptic"}))
      ->type_name("instance|semantic|panoptic");
  command
      .add_option("--semantic", options.semantic, "With --task semantic, write each image's label map, DIR/NAME.png")
      ->type_name("DIR");
  command
      .add_option("--panoptic", options.panoptic,
                  "With --task panoptic, write each image's map of segments as COCO\n"
                  "has it, DIR/NAME.png, and what they are to DIR.json, or where\n"
                  "--json says")
      ->type_name("DIR");
}

ResultMaps::ResultMaps(const ResultMapOptions& options, std::vector<std::string> stems,
                       std::span<const Picture> pictures, const DrawingFiles& drawings)
    : options_(options), stems_(std::move(stems)), pictures_(pictures), drawings_(drawings) {}

fs::path ResultMaps::folder() const {
  const std::string& name = options_.task == Task::semantic ? options_.semantic : options_.panoptic;
  // "maps/" names the folder "maps", and its file of segments is beside it.
  const fs::path path(name);
  return path.has_filename() ? path : path.parent_path();
}

fs::path ResultMaps::json() const {
  return options_.json.empty() ? fs::path(folder().string() + ".json") : fs::path(options_.json);
}

void ResultMaps::add_outputs(graph::FileRoles& roles) const {
  if (folder().empty()) return;
  for (std::size_t i = 0; i < stems_.size(); ++i) roles.output(map_path(i));
  if (options_.task == Task::panoptic) roles.output(json());
}

void ResultMaps::open() {
  if (folder().empty()) return;
  make_folder(folder());
  if (options_.task != Task::panoptic) return;
  make_folder_of(json());
  segments_.emplace(json(), folder());
}

std::vector<EncodedFile> ResultMaps::encode(std::size_t picture, const Image& image, const Result& result,
                                            const std::vector<Category>& categories) const {
  std::vector<EncodedFile> files;
  if (const auto* const classes = std::get_if<SemanticMap>(&result)) {
    if (!folder().empty()) {
      std::vector<label_maps::ClassColor> colors;
      for (std::size_t i = 0; i < categories.size(); ++i) {
        const Color color = class_color(categories[i], static_cast<int>(i));
        colors.push_back({color.r, color.g, color.b});
      }
      files.push_back({map_path(picture),
                       label_maps::encode_label_map(label_maps::label_map_of(*classes, categories.size()), colors),
                       FileOf::map,
                       0,
                       {}});
    }
    if (drawings_.draws_overlays()) files.push_back(drawings_.draw(picture, image, drawings_of(*classes, categories)));
    return files;
  }
  const auto& segments = std::get<PanopticMap>(result);
  if (!folder().empty()) {
    label_maps::PanopticFile file =
        label_maps::encode_panoptic(pictures_[picture].image_id, map_path(picture).filename().string(), segments);
    files.push_back({map_path(picture), std::move(file.bytes), FileOf::map, 0, std::move(file.record)});
  }
  if (drawings_.draws_overlays()) files.push_back(drawings_.draw(picture, image, drawings_of(segments, categories)));
  return files;
}

void ResultMaps::write(const EncodedFile& file) {
  if (file.of == FileOf::map && segments_) {
    segments_->add({file.path.filename().string(), file.bytes, file.record});
  } else {
    graph::write_file(file.path, file.bytes);
  }
}

void ResultMaps::finish() {
  if (segments_) segments_->finish();
}

void ResultMaps::keep() noexcept {
  if (!segments_) return;
  try {
    segments_->keep();
  } catch (const std::exception& error) {
    report(error.what());
  }
}

}  // namespace maskrt::cli
