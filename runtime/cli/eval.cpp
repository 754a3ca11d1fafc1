// `maskrt eval`: COCO's average precision, of a model or of results that were written before.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
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
#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "outputs.h"
#include "picture_run.h"
#include "progress.h"
#include "result_sink.h"
#include "runtime/coco/evaluate.h"
#include "runtime/coco/parallel.h"
#include "runtime/coco/results.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

struct EvalArguments {
  std::string model, images, annotations, results_only, json, activations;
  ResultFiles results;
  std::string iou_type = "segm";
  int batch = 1;
  std::size_t limit = 0;
  bool quiet = false, ignore_labels = false;
  DecodeOptions decode;
  DeviceOptions device;
};

void check_usage(const EvalArguments& arguments) {
  if (arguments.results_only.empty()) {
    if (arguments.model.empty()) throw UsageError("eval needs a MODEL, or --results-only FILE");
    if (arguments.images.empty()) throw UsageError("eval needs --images DIR to run a model");
  } else if (!arguments.model.empty() || !arguments.images.empty() || !arguments.results.list.empty() ||
             !arguments.results.lines.empty() || !arguments.activations.empty()) {
    throw UsageError(
        "--results-only runs no model: it goes without MODEL, --images, --results, --jsonl and --activations");
  }
  if (arguments.quiet && arguments.json.empty() && arguments.results.list.empty() && arguments.results.lines.empty() &&
      arguments.activations.empty())
    throw UsageError(
        "--quiet prints errors alone, so that eval would give nothing: it needs --json FILE, or another output");
  if (arguments.results.resume && arguments.results.lines.empty())
    throw UsageError("--resume goes on from a file of lines: it needs --jsonl FILE");
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
  if (means) means->add_outputs(roles);
  roles.check();
}

/// What is scored.
struct Scored {
  std::vector<coco::CocoResult> results;
  std::vector<coco::Id> images;  ///< ids of those that could be used
  std::size_t failures = 0;
};

/// Collects results to be scored.
class EvalRun final : public PictureRun {
 public:
  EvalRun(const EvalArguments& arguments, std::span<const coco::ImageEntry> entries, std::span<const Picture> pictures,
          const Model& model, ResultSink& sink, ActivationMeans* means)
      : PictureRun(model, arguments.device, pictures, sink, settings_of(arguments)),
        arguments_(arguments),
        entries_(entries),
        pictures_(pictures),
        means_(means),
        progress_("images", pictures.size(), arguments.quiet) {}

  Scored take() {
    scored_.failures = failures();
    return std::move(scored_);
  }

 private:
  static PictureRunSettings settings_of(const EvalArguments& arguments) {
    PictureRunSettings settings{static_cast<std::size_t>(arguments.batch), false, arguments.decode, {}};
    settings.options.mask_form = MaskForm::runs;
    settings.activations = !arguments.activations.empty();
    return settings;
  }

  void check(std::size_t picture, const Image& image) const override {
    check_size(entries_[picture], image, arguments_);
  }

  std::vector<EncodedFile> draw(std::size_t /*picture*/, const Image& /*image*/,
                                const std::vector<Instance>& /*instances*/,
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

Scored run_model(std::span<const coco::ImageEntry> images, const coco::Annotations& annotations,
                 const EvalArguments& arguments, ActivationMeans* means) {
  const std::vector<Picture> pictures = find_pictures(images, arguments);
  ModelOptions model_options = arguments.device.model_options();
  model_options.activations = means != nullptr;
  const Model model = load_model(arguments.model, model_options);
  if (means != nullptr) means->make_folder();
  if (!arguments.ignore_labels) remark(check_categories(model.info().categories, annotations));
  coco::check_shapes(annotations, iou_type(arguments));
  const std::string described =
      arguments.results.lines.empty() ? "" : describe_run(arguments.model, std::nullopt, arguments.decode);
  ResultSink sink(arguments.results, pictures, described);

  std::string summary;
  std::size_t ran = 0;
  Scored scored;
  {
    EvalRun run(arguments, images, pictures, model, sink, means);
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

/// The table that pycocotools prints.
void print_table(const coco::Metrics& metrics) {
  struct Row {
    const char *iou, *area;
    int detections;
  };
  constexpr Row rows[12] = {{"0.50:0.95", "all", 100},   {"0.50", "all", 100},         {"0.75", "all", 100},
                            {"0.50:0.95", "small", 100}, {"0.50:0.95", "medium", 100}, {"0.50:0.95", "large", 100},
                            {"0.50:0.95", "all", 1},     {"0.50:0.95", "all", 10},     {"0.50:0.95", "all", 100},
                            {"0.50:0.95", "small", 100}, {"0.50:0.95", "medium", 100}, {"0.50:0.95", "large", 100}};
  for (std::size_t i = 0; i < metrics.size(); ++i)
    say(" %-18s %s @[ IoU=%-9s | area=%6s | maxDets=%3d ] = %.3f\n", i < 6 ? "Average Precision" : "Average Recall",
        i < 6 ? "(AP)" : "(AR)", rows[i].iou, rows[i].area, rows[i].detections, metrics[i]);
}

void write_metrics(const std::string& path, const coco::Metrics& metrics) {
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < metrics.size(); ++i) json[coco::kMetricNames[i]] = metrics[i];
  write_text_file(path, json.dump(1));
}

int evaluate_command(const EvalArguments& arguments) {
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

  if (arguments.results_only.empty())
    scored = run_model(images, annotations, arguments, means ? &*means : nullptr);
  else if (!scored.results.empty())
    remark(check_categories(scored.results, annotations, arguments.results_only, arguments.ignore_labels));
  coco::EvaluationOptions options = evaluation_options(arguments);
  if (scored.failures > 0) {
    if (scored.images.size() < images.size())
      report("scored " + std::to_string(scored.images.size()) + " of " + std::to_string(images.size()) +
             " images, the others could not be used");
    if (scored.images.empty()) return kExitBadInput;
    options.image_ids = scored.images;
  } else if (arguments.limit != 0) {
    options.image_ids.emplace();
    for (const coco::ImageEntry& image : images) options.image_ids->push_back(image.id);
  }
  const coco::Metrics metrics = coco::evaluate(annotations, scored.results, options).metrics;
  print_table(metrics);
  if (!arguments.json.empty()) write_metrics(arguments.json, metrics);
  if (means) means->write();
  return scored.failures == 0 ? kExitOk : kExitBadInput;
}

}  // namespace

Command add_eval(CLI::App& app) {
  CLI::App* command = app.add_subcommand("eval", "Scores a model, or results, against COCO annotations");
  const auto arguments = std::make_shared<EvalArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->type_name("");
  command->add_option("--images", arguments->images, "The folder that the annotations' file names are in")
      ->type_name("DIR");
  command->add_option("--annotations", arguments->annotations, "COCO annotations, JSON")->required()->type_name("FILE");
  add_output_option(*command, "--results", arguments->results.list, "Write the model's results as COCO results");
  add_line_options(*command, arguments->results);
  command->add_option("--results-only", arguments->results_only, "Score these COCO results instead of running a model")
      ->type_name("FILE");
  command->add_option("--iou-type", arguments->iou_type, "What is compared: masks (segm) or boxes (bbox)")
      ->check(one_of({"segm", "bbox"}))
      ->type_name("NAME")
      ->capture_default_str();
  command->add_flag("--ignore-labels", arguments->ignore_labels,
                    "Compare by category ids alone, whatever the model and the\n"
                    "annotations call them");
  add_output_option(*command, "--json", arguments->json,
                    "Write the twelve numbers: AP, AP50, AP75, APs, APm, APl, AR1, ...");
  command
      ->add_option("--activations", arguments->activations,
                   "Write the mean of each query's instance activation maps over the\n"
                   "images, DIR/query_NNN.png, all in one, DIR/queries.png, and as\n"
                   "numbers, DIR/activations.safetensors")
      ->type_name("DIR");
  command->add_option("--limit", arguments->limit, "Only the first N images of the annotations; 0: all")
      ->check(whole_number(0, 1L << 40))
      ->type_name("N");
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
      "  maskrt eval --results-only results.json --annotations instances_val2017.json");
  return [arguments] { return evaluate_command(*arguments); };
}

}  // namespace maskrt::cli
