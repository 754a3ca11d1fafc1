#include "eval_maps.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <vector>

#include "command.h"
#include "console.h"
#include "graph/file_roles.h"
#include "map_overlays.h"
#include "map_scores.h"
#include "options.h"
#include "outputs.h"
#include "runtime/label_maps/map_files.h"
#include "runtime/label_maps/panoptic_quality.h"
#include "runtime/label_maps/semantic_score.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;
using namespace label_maps;

void add_numbering(CLI::App& command, const std::string& name, std::optional<Numbering>& numbering,
                   const std::string& help) {
  command
      .add_option_function<std::string>(
          name,
          [&numbering](const std::string& text) { numbering = text == "ids" ? Numbering::ids : Numbering::indices; },
          help)
      ->check(one_of({"ids", "indices"}))
      ->type_name("ids|indices");
}

void note_left_out(std::size_t count, const std::string& annotations) {
  if (count > 0)
    note(std::to_string(count) + (count == 1 ? " result is" : " results are") + " of no image of " + annotations +
         " and left out");
}

// ---- Panoptic -------------------------------------------------------------------------------------------------------

void add_inputs(graph::FileRoles& roles, const PanopticSet& set) {
  roles.input(set.path);
  for (const PanopticImage& image : set.images) roles.input(set.maps / image.file_name);
}

int evaluate_panoptic(const MapOptions& options, const MapFiles& files) {
  const PanopticSet truths = read_panoptic_annotations(files.annotations, options.annotation_maps);
  if (truths.images.empty()) throw Error("expected annotations of images in " + files.annotations + ", found none");
  const PanopticSet results = read_panoptic_results(files.results, truths, options.result_maps);
  graph::FileRoles roles;
  add_inputs(roles, truths);
  add_inputs(roles, results);
  roles.output(files.json);
  std::vector<MapOverlay> overlays;
  for (const PanopticImage& image : results.images)
    if (!options.overlay.empty()) overlays.push_back({fs::path(image.file_name).stem().string(), {}});
  find_overlays(overlays, files.images, options.overlay, MapNames::same, roles);
  roles.check();

  const PanopticQuality found = panoptic_quality(truths, results, files.threads);
  note_left_out(found.left_out, files.annotations);
  print(found, options.per_class);
  if (!files.json.empty()) write_text_file(files.json, json_of(found).dump(1));
  draw_overlays(overlays, options.overlay, files.threads, [&](std::size_t i) {
    const PanopticImage& image = results.images[i];
    const SegmentMap map = read_segment_map(results.maps / image.file_name);
    return DrawnMap{map.width, map.height, drawings_of(map, image.segments, results.categories)};
  });
  return kExitOk;
}

// ---- Semantic -------------------------------------------------------------------------------------------------------

int evaluate_semantic(const MapOptions& options, const MapFiles& files) {
  std::optional<std::uint16_t> ignored;
  if (options.ignored) ignored = static_cast<std::uint16_t>(*options.ignored);
  const LabelClasses table = read_classes(options.classes, ignored);
  const MapFolders folders = find_maps(files.annotations, files.results, table.names, options.annotation_numbering);
  graph::FileRoles roles;
  if (fs::exists(options.classes)) roles.input(options.classes);
  std::vector<MapOverlay> overlays;
  for (const MapPair& pair : folders.pairs) {
    roles.input(pair.truth);
    roles.input(pair.result);
    if (!options.overlay.empty()) overlays.push_back({image_of(pair.result, table.names), {}});
  }
  roles.output(files.json);
  find_overlays(overlays, files.images, options.overlay, table.names, roles);
  roles.check();

  SemanticOptions scoring;
  scoring.truths = folders.truths;
  scoring.results = options.result_numbering.value_or(Numbering::indices);
  scoring.threads = files.threads;
  const SemanticScore found = score_maps(folders.pairs, table, scoring);
  note_left_out(folders.left_out, files.annotations);
  print(found, options.per_class);
  if (!files.json.empty()) write_text_file(files.json, json_of(found).dump(1));
  draw_overlays(overlays, options.overlay, files.threads, [&](std::size_t i) {
    const LabelMap map = read_label_map(folders.pairs[i].result);
    return DrawnMap{map.width, map.height, drawings_of(map, table.numbers(scoring.results), table)};
  });
  return kExitOk;
}

}  // namespace

void add_map_options(CLI::App& command, MapOptions& options) {
  command
      .add_option_function<std::string>(
          "--task",
          [&options](const std::string& name) {
            options.task = name == "semantic"   ? EvalTask::semantic
                           : name == "panoptic" ? EvalTask::panoptic
                                                : EvalTask::instance;
          },
          "What is scored: instances (default), semantic segmentation\n"
          "(annotations are a folder of label maps) or panoptic segmentation\n"
          "(COCO's JSON and PNG files); of MODEL, or of --results-only")
      ->check(one_of({"instance", "semantic", "panoptic"}))
      ->type_name("NAME");
  command
      .add_option("--annotation-maps", options.annotation_maps,
                  "Panoptic: the folder of the annotations' PNG files; otherwise\n"
                  "it is called like the JSON file")
      ->type_name("DIR");
  command.add_option("--result-maps", options.result_maps, "Panoptic: the folder of the results' PNG files, alike")
      ->type_name("DIR");
  command
      .add_option("--classes", options.classes,
                  "Semantic: cityscapes, ade20k, or a file: a name a line, or COCO's\n"
                  "categories, JSON")
      ->type_name("NAME|FILE");
  command
      .add_option("--ignore-label", options.ignored,
                  "Semantic: the number of pixels that are not scored; otherwise 255,\n"
                  "or 65535 with 256 classes or more")
      ->check(whole_number(0, 65535))
      ->type_name("N");
  add_numbering(command, "--annotation-labels", options.annotation_numbering,
                "Semantic: whether annotations have the data set's ids (otherwise)\n"
                "or positions of classes from 0; Cityscapes' files tell");
  add_numbering(command, "--result-labels", options.result_numbering,
                "Semantic: the same of results; otherwise positions of classes");
  command
      .add_option("--overlay", options.overlay,
                  "Semantic and panoptic: draw the results over the pictures of\n"
                  "--images, DIR/NAME.jpg")
      ->type_name("DIR");
  command.add_flag("--per-class", options.per_class, "Semantic and panoptic: print the numbers of each class, too");
}

void check_map_usage(const MapOptions& options, const MapFiles& files) {
  const bool of_panoptic = !options.annotation_maps.empty() || !options.result_maps.empty();
  const bool of_semantic =
      !options.classes.empty() || options.ignored || options.annotation_numbering || options.result_numbering;
  if (options.task == EvalTask::instance) {
    if (of_panoptic || of_semantic || options.per_class || !options.overlay.empty())
      throw UsageError(
          "--annotation-maps, --result-maps, --classes, --ignore-label, --annotation-labels, --result-labels, "
          "--overlay and --per-class go with --task semantic or panoptic");
    return;
  }
  const bool semantic = options.task == EvalTask::semantic, runs = files.runs_model;
  if (runs == !files.results.empty())
    throw UsageError(std::string("--task ") + (semantic ? "semantic" : "panoptic") +
                     " needs a MODEL to run, or --results-only for results that are there" +
                     (runs ? ", not both" : ""));
  if (runs && (!options.result_maps.empty() || options.result_numbering))
    throw UsageError("--result-maps and --result-labels are of results that are there: they go with --results-only");
  if (runs && files.images.empty()) throw UsageError("eval needs --images DIR to run a model");
  if (semantic && of_panoptic)
    throw UsageError(
        "--annotation-maps and --result-maps are of --task panoptic: in --task semantic, --annotations "
        "and --results-only are folders");
  if (semantic && options.classes.empty())
    throw UsageError("--task semantic needs --classes: cityscapes, ade20k or a file");
  if (!semantic && of_semantic)
    throw UsageError(
        "--classes, --ignore-label, --annotation-labels and --result-labels are of --task semantic: COCO's panoptic "
        "annotations list their classes");
  if (!runs && options.overlay.empty() != files.images.empty())
    throw UsageError("--overlay DIR draws over the pictures of --images DIR: one needs the other");
}

int evaluate_maps(const MapOptions& options, const MapFiles& files) {
  return options.task == EvalTask::semantic ? evaluate_semantic(options, files) : evaluate_panoptic(options, files);
}

}  // namespace maskrt::cli
