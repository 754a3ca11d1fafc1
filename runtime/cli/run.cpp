// `maskrt run`: what a model finds in images, as COCO results, pictures, masks and maps.
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "annotated_pictures.h"
#include "command.h"
#include "console.h"
#include "drawing_files.h"
#include "graph/file_roles.h"
#include "inputs.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "picture_run.h"
#include "progress.h"
#include "result_maps.h"
#include "result_sink.h"

namespace maskrt::cli {
namespace {

/// What is drawn and counted where --score does not say otherwise: below it, detections are mostly wrong.
constexpr float kDefaultShownScore = 0.4f;

/// What a picture takes in memory while its instances' activation maps are drawn: a sheet of four, and some that are
/// encoded and wait to be written.
constexpr std::size_t kBytesAPixelWithActivations = 64;

struct RunArguments {
  std::string model;
  std::vector<std::string> inputs;
  std::optional<float> score;
  int batch = 1;
  ResultFiles results;
  ResultMapOptions maps;
  DrawingOptions drawing;
  std::string annotations;
  bool fail_fast = false, quiet = false;
  DecodeOptions decode;
  ResizeOptions resize;
  DeviceOptions device;

  float shown_score() const { return score.value_or(kDefaultShownScore); }
  bool finds_instances() const { return maps.task == Task::instances; }
};

/// What a task has no form for is a mistake, and not left out in silence.
void check_task(const RunArguments& arguments) {
  const ResultMapOptions& maps = arguments.maps;
  const std::string task(name_of(maps.task));
  const auto refuse_unless = [&](bool fits, bool given, const char* option) {
    if (given && !fits) throw UsageError("--task " + task + " has no " + std::string(option));
  };
  refuse_unless(maps.task == Task::semantic, !maps.semantic.empty(), "--semantic");
  refuse_unless(maps.task == Task::panoptic, !maps.panoptic.empty(), "--panoptic");
  refuse_unless(arguments.finds_instances(), !arguments.results.lines.empty(), "--jsonl");
  refuse_unless(arguments.finds_instances(), arguments.results.boxes, "--boxes");
  refuse_unless(arguments.finds_instances(), !arguments.drawing.masks.empty(), "--masks");
  refuse_unless(arguments.finds_instances(), !arguments.drawing.activations.empty(), "--activations");
  refuse_unless(arguments.finds_instances(), arguments.score.has_value(), "--score");
  refuse_unless(maps.task != Task::semantic, !arguments.results.list.empty(), "--json");
  if (maps.task == Task::panoptic && maps.panoptic.empty() && !arguments.results.list.empty())
    throw UsageError("--json says what the segments of --panoptic DIR are: it needs that folder");
}

/// Where results of instances go.
ResultFiles instance_files(const RunArguments& arguments) {
  return arguments.finds_instances() ? arguments.results : ResultFiles();
}

std::vector<Picture> pictures_of(const std::vector<Input>& inputs, const std::string& annotations) {
  std::vector<Picture> pictures;
  for (const Input& input : inputs) pictures.push_back({input.path, input.file_name, input.image_id});
  if (!annotations.empty()) take_annotated_ids(pictures, annotations);
  return pictures;
}

std::vector<std::string> stems_of(const std::vector<Input>& inputs) {
  std::vector<std::string> stems;
  for (const Input& input : inputs) stems.push_back(input.stem);
  return stems;
}

void check_files(const RunArguments& arguments, const std::vector<Input>& inputs, const DrawingFiles& drawings,
                 const ResultMaps& maps) {
  graph::FileRoles roles;
  add_inputs(roles, arguments.model, arguments.device);
  roles.input(arguments.annotations);
  for (const Input& input : inputs) roles.input(input.path);
  drawings.add_outputs(roles);
  maps.add_outputs(roles);
  roles.output(instance_files(arguments).list);
  roles.output(arguments.results.lines);
  roles.check();
}

/// Writes pictures and masks, tells of each image, and counts.
class Runner final : public PictureRun {
 public:
  Runner(const RunArguments& arguments, std::span<const Input> inputs, std::span<const Picture> pictures,
         const Model& model, const DrawingFiles& drawings, ResultMaps& maps, ResultSink& sink)
      : PictureRun(model, arguments.device, pictures, sink, settings_of(arguments)),
        inputs_(inputs),
        drawings_(drawings),
        maps_(maps),
        finds_instances_(arguments.finds_instances()),
        shown_score_(arguments.shown_score()),
        categories_(model.info().categories),
        progress_("images", pictures.size(), arguments.quiet || isatty(STDERR_FILENO) == 0) {
    for (const Input& input : inputs)
      name_width_ = std::min(40, std::max(name_width_, static_cast<int>(input.file_name.size())));
  }

  void print_summary() {
    progress_.end();
    say("%zu %s", ran() + earlier_, ran() + earlier_ == 1 ? "image" : "images");
    if (earlier_ > 0) say(", %zu of them done before", earlier_);
    if (failures() > 0) say(", %zu failed", failures());
    if (finds_instances_)
      say(", %td %s of score %.2f or more", detections_, detections_ == 1 ? "detection" : "detections",
          static_cast<double>(shown_score_));
    if (ran() > 0) say(", %s", times().c_str());
    say("\n");
  }

 private:
  static PictureRunSettings settings_of(const RunArguments& arguments) {
    PictureRunSettings settings{static_cast<std::size_t>(arguments.batch), arguments.fail_fast, arguments.decode, {}};
    settings.options.task = arguments.maps.task;
    settings.options.minimum_score = arguments.score.value_or(0.0f);
    settings.options.resize = arguments.resize;
    if (!arguments.drawing.any_of_masks()) settings.options.mask_form = MaskForm::runs;
    if (!arguments.drawing.activations.empty()) {
      settings.activations = true;
      settings.bytes_a_pixel = kBytesAPixelWithActivations;
    }
    return settings;
  }

  std::vector<EncodedFile> draw(std::size_t picture, const Image& image, const Result& result,
                                const ActivationMaps& activations) const override {
    if (!finds_instances_) return maps_.encode(picture, image, result, categories_);
    return drawings_.draw(picture, image, std::get<std::vector<Instance>>(result), categories_, activations);
  }

  void write_file(const EncodedFile& file, coco::ImageLine& line) override {
    if (finds_instances_) return PictureRun::write_file(file, line);
    maps_.write(file);
  }

  void added(std::size_t picture, const coco::ImageLine& line, bool earlier) override {
    const auto shown = std::count_if(line.instances.begin(), line.instances.end(), [&](const coco::CocoResult& result) {
      return static_cast<float>(result.score) >= shown_score_;
    });
    detections_ += shown;
    if (earlier) {
      ++earlier_;
    } else if (!finds_instances_) {
      say("%-*s  %5dx%d\n", name_width_, inputs_[picture].file_name.c_str(), line.width, line.height);
    } else {
      say("%-*s  %5dx%-5d %4td %s\n", name_width_, inputs_[picture].file_name.c_str(), line.width, line.height, shown,
          shown == 1 ? "detection" : "detections");
    }
  }

  void progress(std::size_t pictures, std::size_t run, std::size_t to_run) override {
    progress_.update(pictures, run, to_run);
  }

  std::span<const Input> inputs_;
  const DrawingFiles& drawings_;
  ResultMaps& maps_;
  bool finds_instances_;
  float shown_score_;
  std::vector<Category> categories_;
  Progress progress_;
  int name_width_ = 8;
  std::size_t earlier_ = 0;
  std::ptrdiff_t detections_ = 0;
};

int run(const RunArguments& arguments) {
  check_task(arguments);
  if (arguments.results.resume && arguments.results.lines.empty())
    throw UsageError("--resume goes on from a file of lines: it needs --jsonl FILE");
  // Arguments first: a mistyped folder should not wait for the model.
  std::vector<std::string> passed_over;
  const std::vector<Input> inputs = expand_inputs(arguments.inputs, &passed_over);
  for (const std::string& sentence : passed_over) note(sentence);
  const std::vector<Picture> pictures = pictures_of(inputs, arguments.annotations);
  const DrawingFiles drawings(arguments.drawing, stems_of(inputs), arguments.shown_score());
  ResultMapOptions map_options = arguments.maps;
  if (!arguments.finds_instances()) map_options.json = arguments.results.list;
  ResultMaps maps(map_options, stems_of(inputs), pictures, drawings);
  check_files(arguments, inputs, drawings, maps);

  ModelOptions options = arguments.device.model_options();
  options.activations = !arguments.drawing.activations.empty();
  const Model model = load_model(arguments.model, options);
  check_finds(model.info(), arguments.maps.task);
  note_bounded_resize(model.info(), arguments.resize);
  drawings.make_folders();
  maps.open();
  const std::string described =
      arguments.results.lines.empty()
          ? ""
          : describe_run(arguments.model, model.info(), arguments.score, arguments.decode, arguments.resize);
  ResultSink sink(instance_files(arguments), pictures, described);
  Runner runner(arguments, inputs, pictures, model, drawings, maps, sink);
  try {
    runner.run();
    maps.finish();
  } catch (...) {
    maps.keep();
    throw;
  }
  runner.print_summary();
  return runner.failures() == 0 ? kExitOk : kExitBadInput;
}

}  // namespace

Command add_run(CLI::App& app) {
  CLI::App* command = app.add_subcommand("run", "Finds instances, classes of pixels or segments in images");
  const auto arguments = std::make_shared<RunArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->required()->type_name("");
  command->add_option("INPUT", arguments->inputs, "Images, folders of images, and patterns such as 'in/*.jpg'")
      ->required()
      ->type_name("");
  command
      ->add_option_function<float>(
          "--score", [arguments](float score) { arguments->score = score; },
          "Leave out instances of a lower final score (default: --json and\n"
          "--jsonl get all that the model's threshold keeps, --overlay and\n"
          "--masks those from 0.4 on); 0 for all everywhere")
      ->check(share())
      ->type_name("S");
  add_batch_option(*command, arguments->batch);
  add_result_map_options(*command, arguments->maps);
  add_output_option(*command, "--json", arguments->results.list,
                    "Write one list of COCO results; with --task panoptic, COCO's\n"
                    "panoptic annotations");
  add_line_options(*command, arguments->results);
  command
      ->add_option("--annotations", arguments->annotations,
                   "Take image ids and file names of the results from these COCO annotations")
      ->type_name("FILE");
  add_drawing_options(*command, arguments->drawing);
  add_decode_options(*command, arguments->decode);
  add_resize_options(*command, arguments->resize);
  command->add_flag("--fail-fast", arguments->fail_fast, "Stop at the first image that cannot be used");
  add_quiet_flag(*command, arguments->quiet);
  add_device_options(*command, arguments->device);
  command->footer(
      "An image that cannot be used is reported and skipped, and the exit status is 1. A run that is stopped keeps "
      "what it\n"
      "has found so far.\n"
      "In the results, image_id is the number that the file's name is made of (000000000139.jpg is 139) where all\n"
      "names are numbers and differ, otherwise the image's position among the inputs, from 1; file_name is the last\n"
      "part of the path, or all of it where two images share the last part. With --annotations both are those of the\n"
      "annotated image whose file_name ends the input's path. Results name what --overlay, --masks and\n"
      "--activations wrote, as overlay, mask_file and activations_file.\n\n"
      "Example:\n  maskrt run model.maskrt photos/ --json results.json --overlay drawn --batch 2");
  return [arguments] { return run(*arguments); };
}

}  // namespace maskrt::cli
