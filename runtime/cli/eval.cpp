// `maskrt eval`: COCO's average precision, of a model or of results that were written before.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "activation_means.h"
#include "annotated_pictures.h"
#include "category_check.h"
#include "command.h"
#include "console.h"
#include "eval_maps.h"
#include "eval_model_maps.h"
#include "graph/file_roles.h"
#include "instance_scores.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "outputs.h"
#include "picture_run.h"
#include "progress.h"
#include "result_sink.h"
#include "runtime/coco/evaluate.h"
#include "runtime/coco/parallel.h"
#include "runtime/coco/results.h"
#include "size_options.h"
#include "size_sweep.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

struct EvalArguments {
  std::string model, images, annotations, results_only, json, activations;
  ResultFiles results;
  MapOptions maps;
  std::string iou_type = "segm";
  int batch = 1;
  std::size_t limit = 0;
  bool errors = false, quiet = false, ignore_labels = false;
  SizeOptions sizes;
  DecodeOptions decode;
  DeviceOptions device;
};

MapFiles map_files(const EvalArguments& arguments) {
  return {arguments.annotations, arguments.results_only,   arguments.images,
          arguments.json,        arguments.device.threads, !arguments.model.empty()};
}

MapModel map_model(const EvalArguments& arguments) {
  return {arguments.model, arguments.sizes, arguments.decode, arguments.device,
          arguments.batch, arguments.limit, arguments.quiet,  arguments.ignore_labels};
}

/// Options of instances do not go with maps.
void check_map_usage(const EvalArguments& arguments) {
  const bool maps = arguments.maps.task != EvalTask::instance, runs = !arguments.model.empty();
  if (maps &&
      (!arguments.results.list.empty() || !arguments.results.lines.empty() || arguments.results.resume ||
       arguments.results.boxes || !arguments.activations.empty() || arguments.errors || arguments.iou_type != "segm"))
    throw UsageError(
        "--task semantic and panoptic go without --results, --jsonl, --resume, --boxes, --activations, --errors and "
        "--iou-type: these are of instances");
  check_map_usage(arguments.maps, map_files(arguments));
  if (!maps) return;
  if (!runs && (arguments.sizes.given() || arguments.limit != 0))
    throw UsageError("--results-only runs no model: it goes without --min-size, --max-size, --plot and --limit");
  check_sizes(arguments.sizes, arguments.results);
  if (arguments.sizes.are_several() && (arguments.maps.per_class || !arguments.maps.overlay.empty()))
    throw UsageError("--per-class and --overlay are of one size: they go without several --min-size");
  if (arguments.quiet && arguments.json.empty() && arguments.maps.overlay.empty() && arguments.sizes.plot.empty())
    throw UsageError("--quiet prints errors alone, so that eval would give nothing: it needs --json FILE or --overlay");
}

void check_usage(const EvalArguments& arguments) {
  if (arguments.results_only.empty()) {
    if (arguments.model.empty()) throw UsageError("eval needs a MODEL, or --results-only FILE");
    if (arguments.images.empty()) throw UsageError("eval needs --images DIR to run a model");
  } else if (!arguments.model.empty() || !arguments.images.empty() || !arguments.results.list.empty() ||
             !arguments.results.lines.empty() || !arguments.activations.empty()) {
    throw UsageError(
        "--results-only runs no model: it goes without MODEL, --images, --results, --jsonl and --activations");
  } else if (arguments.sizes.given()) {
    throw UsageError("--results-only runs no model: it goes without --min-size, --max-size and --plot");
  }
  if (arguments.quiet && arguments.json.empty() && arguments.results.list.empty() && arguments.results.lines.empty() &&
      arguments.sizes.plot.empty() && arguments.activations.empty())
    throw UsageError(
        "--quiet prints errors alone, so that eval would give nothing: it needs --json FILE, or another output");
  if (arguments.results.resume && arguments.results.lines.empty())
    throw UsageError("--resume goes on from a file of lines: it needs --jsonl FILE");
  check_sizes(arguments.sizes, arguments.results);
  if (arguments.sizes.are_several() && (arguments.errors || !arguments.activations.empty()))
    throw UsageError("--errors and --activations are of one size: they go without several --min-size");
  if (arguments.results.resume && !arguments.activations.empty())
    throw UsageError("--activations is of all images, of which lines have none: it goes without --resume");
}

/// The images to be scored: all, or the first of them.
std::span<const coco::ImageEntry> chosen_images(const coco::Annotations& annotations, std::size_t limit) {
  const std::span<const coco::ImageEntry> all = annotations.images;
  return limit == 0 ? all : all.first(std::min(limit, all.size()));
}

void remark(const std::string& sentence) {
  if (!sentence.empty()) note(sentence);
}

coco::IouType iou_type(const EvalArguments& arguments) {
  return arguments.iou_type == "bbox" ? coco::IouType::bbox : coco::IouType::segm;
}

coco::Annotations read_annotations(const EvalArguments& arguments) {
  coco::Annotations annotations = coco::read_annotations(arguments.annotations, iou_type(arguments));
  if (annotations.images.empty()) throw Error("expected images in " + arguments.annotations + ", found none");
  return annotations;
}

/// Before anything runs: finding out after an hour would be worse.
std::vector<Picture> find_pictures(std::span<const coco::ImageEntry> images, const EvalArguments& arguments) {
  std::vector<Picture> pictures;
  std::size_t missing = 0;
  std::string first;
  for (const coco::ImageEntry& image : images) {
    const fs::path path = find_picture(arguments.images, image);
    pictures.push_back({path, image.file_name, image.id});
    if (!path.empty()) continue;
    if (missing++ == 0)
      first = image.file_name.empty() ? "the image of id " + image.id.described() + ", which has no file_name"
                                      : (fs::path(arguments.images) / image.file_name).string();
  }
  if (missing > 0)
    throw Error("expected all " + std::to_string(images.size()) + " images of " + arguments.annotations + " in " +
                arguments.images + ", " + std::to_string(missing) + (missing == 1 ? " is" : " are") +
                " missing, the first is " + first);
  return pictures;
}

/// The evaluator refuses masks of another size than the annotations'; so much is known before the network runs.
void check_size(const coco::ImageEntry& entry, const Image& image, const EvalArguments& arguments) {
  if (entry.height == 0 || entry.width == 0) return;
  if (entry.height == image.height() && entry.width == image.width()) return;
  const bool turned =
      entry.height == image.width() && entry.width == image.height() && arguments.decode.exif_orientation;
  throw Error("expected " + (fs::path(arguments.images) / entry.file_name).string() + " of " +
              std::to_string(entry.width) + "x" + std::to_string(entry.height) + " as " + arguments.annotations +
              " says, found " + std::to_string(image.width()) + "x" + std::to_string(image.height()) +
              (turned ? "; if the annotations are of the pixels as stored, use --no-exif" : ""));
}

void check_files(const EvalArguments& arguments, std::span<const coco::ImageEntry> images,
                 const std::optional<ActivationMeans>& means) {
  graph::FileRoles roles;
  add_inputs(roles, arguments.model, arguments.device);
  roles.input(arguments.annotations);
  roles.input(arguments.results_only);
  if (!arguments.images.empty()) {
    for (const coco::ImageEntry& image : images) {
      const fs::path path = find_picture(arguments.images, image);
      roles.input(path.empty() ? fs::path(arguments.images) / image.file_name : path);
    }
  }
  roles.output(arguments.results.list);
  roles.output(arguments.results.lines);
  roles.output(arguments.json);
  roles.output(arguments.sizes.plot);
  if (means) means->add_outputs(roles);
  roles.check();
}

/// What is scored.
struct Scored {
  std::vector<coco::CocoResult> results;
  std::vector<coco::Id> images;  ///< ids of those that could be used
  std::size_t failures = 0;
  std::optional<SizeFigures> figures;  ///< where a model ran: without the metrics
};

/// Collects results to be scored.
class EvalRun final : public PictureRun {
 public:
  EvalRun(const EvalArguments& arguments, const ResizeOptions& resize, std::span<const coco::ImageEntry> entries,
          std::span<const Picture> pictures, const Model& model, ResultSink& sink, ActivationMeans* means = nullptr)
      : PictureRun(model, arguments.device, pictures, sink, settings_of(arguments, resize)),
        arguments_(arguments),
        input_(input_settings(model.info(), resize)),
        entries_(entries),
        pictures_(pictures),
        means_(means),
        progress_("images", pictures.size(), arguments.quiet) {}

  Scored take() {
    scored_.failures = failures();
    scored_.figures = {input_, call_times().usual_input(), scored_.images.size(), {}, call_times().of_an_image()};
    return std::move(scored_);
  }

 private:
  static PictureRunSettings settings_of(const EvalArguments& arguments, const ResizeOptions& resize) {
    PictureRunSettings settings{static_cast<std::size_t>(arguments.batch), false, arguments.decode, {}};
    settings.options.mask_form = MaskForm::runs;
    settings.options.resize = resize;
    settings.alone = arguments.sizes.are_timed();
    settings.activations = !arguments.activations.empty();
    return settings;
  }

  void check(std::size_t picture, const Image& image) const override {
    check_size(entries_[picture], image, arguments_);
  }

  std::vector<EncodedFile> draw(std::size_t /*picture*/, const Image& /*image*/, const Result& /*result*/,
                                const ActivationMaps& activations) const override {
    if (means_ != nullptr) means_->add(activations);
    return {};
  }

  void added(std::size_t picture, const coco::ImageLine& line, bool /*earlier*/) override {
    scored_.images.push_back(pictures_[picture].image_id);
    scored_.results.insert(scored_.results.end(), line.instances.begin(), line.instances.end());
  }

  void progress(std::size_t pictures, std::size_t run, std::size_t to_run) override {
    progress_.update(pictures, run, to_run);
  }

  const EvalArguments& arguments_;
  InputSettings input_;
  std::span<const coco::ImageEntry> entries_;
  std::span<const Picture> pictures_;
  ActivationMeans* means_;
  Progress progress_;
  Scored scored_;
};

coco::EvaluationOptions evaluation_options(const EvalArguments& arguments) {
  coco::EvaluationOptions options;
  options.iou_type = iou_type(arguments);
  options.threads = arguments.device.threads;
  if (!arguments.results_only.empty()) options.results_name = arguments.results_only;
  return options;
}

/// A model that can be scored by the annotations.
Model load_for(const coco::Annotations& annotations, const EvalArguments& arguments) {
  ModelOptions options = arguments.device.model_options();
  options.activations = !arguments.activations.empty();
  Model model = load_model(arguments.model, options);
  for (const ResizeOptions& resize : arguments.sizes.resizes()) note_bounded_resize(model.info(), resize);
  if (!arguments.ignore_labels)
    remark(check_categories(model.info().categories, annotations.categories, annotations.path.string()));
  coco::check_shapes(annotations, iou_type(arguments));
  return model;
}

Scored run_model(const Model& model, std::span<const coco::ImageEntry> images, std::span<const Picture> pictures,
                 const EvalArguments& arguments, ActivationMeans* means) {
  const ResizeOptions resize = arguments.sizes.resizes().front();
  const std::string described = arguments.results.lines.empty() ? ""
                                                                : describe_run(arguments.model, model.info(),
                                                                               std::nullopt, arguments.decode, resize);
  ResultSink sink(arguments.results, pictures, described);

  std::string summary;
  std::size_t ran = 0;
  Scored scored;
  {
    EvalRun run(arguments, resize, images, pictures, model, sink, means);
    run.run();
    summary = "in " + duration_text(run.seconds());
    ran = run.ran();
    if (ran > 0) summary += ": " + run.times();
    scored = run.take();
  }
  if (!scored.images.empty()) {
    say("%zu images", scored.images.size());
    if (ran < scored.images.size()) say(", %zu of the images done before", scored.images.size() - ran);
    say(", %zu results %s\n", scored.results.size(), summary.c_str());
  }
  return scored;
}

/// How what was found is scored: on the images that could be used, where some could not, which is reported. Nothing
/// where none could.
std::optional<coco::EvaluationOptions> options_for(const Scored& scored, std::span<const coco::ImageEntry> images,
                                                   const EvalArguments& arguments) {
  coco::EvaluationOptions options = evaluation_options(arguments);
  if (scored.failures > 0) {
    if (scored.images.size() < images.size())
      report("scored " + std::to_string(scored.images.size()) + " of " + std::to_string(images.size()) +
             " images, the others could not be used");
    if (scored.images.empty()) return std::nullopt;
    options.image_ids = scored.images;
  } else if (arguments.limit != 0) {
    options.image_ids.emplace();
    for (const coco::ImageEntry& image : images) options.image_ids->push_back(image.id);
  }
  return options;
}

SweepSubject subject_of(const Model& model, const EvalArguments& arguments) {
  return {model.info(), arguments.device.thread_count(), arguments.batch, average_precision(iou_type(arguments))};
}

/// A table of average precision and times, a row a size.
int evaluate_sizes(const Model& model, std::span<const coco::ImageEntry> images, std::span<const Picture> pictures,
                   const coco::Annotations& annotations, const EvalArguments& arguments) {
  bool all_used = true;
  const auto measure = [&](const ResizeOptions& size) -> std::optional<SizeFigures> {
    ResultSink sink({}, pictures, {});
    EvalRun run(arguments, size, images, pictures, model, sink);
    run.run();
    const Scored scored = run.take();
    all_used = all_used && scored.failures == 0;
    const std::optional<coco::EvaluationOptions> options = options_for(scored, images, arguments);
    if (!options) return std::nullopt;
    SizeFigures figures = *scored.figures;
    const coco::Metrics metrics = coco::evaluate(annotations, scored.results, *options).metrics;
    figures.metrics.assign(metrics.begin(), metrics.end());
    return figures;
  };
  const bool all_measured = sweep_sizes(subject_of(model, arguments), arguments.sizes.resizes(),
                                        {arguments.json, arguments.sizes.plot}, measure);
  return all_used && all_measured ? kExitOk : kExitBadInput;
}

int evaluate_command(const EvalArguments& arguments) {
  check_map_usage(arguments);
  if (arguments.maps.task != EvalTask::instance)
    return arguments.model.empty() ? evaluate_maps(arguments.maps, map_files(arguments))
                                   : evaluate_model_maps(arguments.maps, map_files(arguments), map_model(arguments));
  check_usage(arguments);
  coco::Annotations annotations;
  Scored scored;
  // The two files side by side: reading is most of what scoring takes.
  const std::size_t files = arguments.results_only.empty() ? 1 : 2;
  coco::parallel_for(files, arguments.device.threads, [&](std::size_t file) {
    if (file == 0)
      annotations = read_annotations(arguments);
    else
      scored.results = coco::read_results(arguments.results_only, iou_type(arguments));
  });
  const auto images = chosen_images(annotations, arguments.limit);

  std::optional<ActivationMeans> means;
  if (!arguments.activations.empty()) means.emplace(arguments.activations);
  check_files(arguments, images, means);
  if (annotations.federated)
    remark(arguments.annotations +
           " is annotated as LVIS is, for some of its categories in each image: these are COCO's numbers, which take "
           "what is not annotated for absent, not LVIS's AP");

  std::optional<Model> model;
  if (arguments.results_only.empty()) {
    const std::vector<Picture> pictures = find_pictures(images, arguments);
    model = load_for(annotations, arguments);
    if (means) means->make_folder();
    if (arguments.sizes.are_several()) return evaluate_sizes(*model, images, pictures, annotations, arguments);
    scored = run_model(*model, images, pictures, arguments, means ? &*means : nullptr);
  } else if (!scored.results.empty()) {
    remark(check_categories(scored.results, annotations, arguments.results_only, arguments.ignore_labels));
  }
  const std::optional<coco::EvaluationOptions> options = options_for(scored, images, arguments);
  if (!options) return kExitBadInput;
  const Scores scores = score(annotations, scored.results, *options, arguments.errors);
  print(scores);
  if (!arguments.json.empty()) write_scores(arguments.json, scores);
  if (!arguments.sizes.plot.empty()) {
    scored.figures->metrics.assign(scores.metrics.begin(), scores.metrics.end());
    write_text_file(arguments.sizes.plot,
                    svg_of(sizes_plot(subject_of(*model, arguments), std::span(&*scored.figures, 1))));
  }
  if (means) means->write();
  return scored.failures == 0 ? kExitOk : kExitBadInput;
}

}  // namespace

Command add_eval(CLI::App& app) {
  CLI::App* command = app.add_subcommand("eval", "Scores a model, or results, against annotations");
  const auto arguments = std::make_shared<EvalArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->type_name("");
  command->add_option("--images", arguments->images, "The folder that the annotations' file names are in")
      ->type_name("DIR");
  command
      ->add_option("--annotations", arguments->annotations, "COCO annotations, JSON; semantic: a folder of label maps")
      ->required()
      ->type_name("FILE");
  add_output_option(*command, "--results", arguments->results.list, "Write the model's results as COCO results");
  add_line_options(*command, arguments->results);
  command
      ->add_option("--results-only", arguments->results_only,
                   "Score these results instead of running a model: COCO's, JSON;\n"
                   "semantic: a folder of label maps")
      ->type_name("FILE");
  command->add_option("--iou-type", arguments->iou_type, "What is compared: masks (segm) or boxes (bbox)")
      ->check(one_of({"segm", "bbox"}))
      ->type_name("NAME")
      ->capture_default_str();
  command->add_flag("--ignore-labels", arguments->ignore_labels,
                    "Compare by category ids alone, whatever the model and the\n"
                    "annotations call them");
  command->add_flag("--errors", arguments->errors,
                    "Tell what AP at an IoU of 0.5 is lost to, by kind of error, as TIDE\n"
                    "does: in points, from 0 to 100");
  add_output_option(*command, "--json", arguments->json,
                    "Write the twelve numbers: AP, AP50, AP75, APs, APm, APl, AR1, ...;\n"
                    "with --errors also \"errors\": AP, Cls, Loc, Both, Dupe, Bkg, Miss,\n"
                    "FalsePos, FalseNeg; of other tasks their numbers; of several sizes in\n"
                    "the list \"sizes\", with their times");
  command
      ->add_option("--activations", arguments->activations,
                   "Write the mean of each query's instance activation maps over the\n"
                   "images, DIR/query_NNN.png, all in one, DIR/queries.png, and as\n"
                   "numbers, DIR/activations.safetensors")
      ->type_name("DIR");
  command->add_option("--limit", arguments->limit, "Only the first N images of the annotations; 0: all")
      ->check(whole_number(0, 1L << 40))
      ->type_name("N");
  add_sweep_options(*command, arguments->sizes);
  add_map_options(*command, arguments->maps);
  add_batch_option(*command, arguments->batch);
  add_decode_options(*command, arguments->decode);
  add_quiet_flag(*command, arguments->quiet);
  add_device_options(*command, arguments->device);
  command->footer(
      "An image that cannot be used is reported, the others are scored, and the exit status is 1. An evaluation that "
      "is\n"
      "stopped keeps the results so far.\n"
      "Areas of masks are their own, as in the evaluators of COCO and detectron2, even where results have boxes.\n"
      "Categories of model and annotations are compared before the model runs, by id and by name.\n\n"
      "Examples:\n"
      "  maskrt eval model.maskrt --images val2017 --annotations instances_val2017.json --results results.json\n"
      "  maskrt eval model.maskrt --images val2017 --annotations instances_val2017.json --min-size 448 512 576 608 640 "
      "--plot speed.svg\n"
      "  maskrt eval --results-only results.json --annotations instances_val2017.json\n"
      "  maskrt eval --task panoptic --results-only results.json --annotations panoptic_val2017.json\n"
      "  maskrt eval --task semantic --classes cityscapes --results-only results --annotations gtFine/val\n"
      "  maskrt eval model.maskrt --task panoptic --images val2017 --annotations panoptic_val2017.json");
  return [arguments] { return evaluate_command(*arguments); };
}

}  // namespace maskrt::cli
