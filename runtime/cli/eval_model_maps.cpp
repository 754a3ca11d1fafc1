#include "eval_model_maps.h"

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "command.h"
#include "console.h"
#include "drawing_files.h"
#include "graph/file_roles.h"
#include "map_truths.h"
#include "outputs.h"
#include "picture_run.h"
#include "progress.h"
#include "segment_drawings.h"
#include "size_sweep.h"

namespace maskrt::cli {
namespace {

/// Compares each picture's result when it is there, and keeps none of them.
class MapRun final : public PictureRun {
 public:
  MapRun(const Model& model, const MapModel& how, Task task, const ResizeOptions& resize, const MapTruths& truths,
         MapScoring& scoring, const DrawingFiles& drawings, ResultSink& sink)
      : PictureRun(model, how.device, truths.pictures(), sink, settings_of(how, task, resize)),
        input_(input_settings(model.info(), resize)),
        categories_(model.info().categories),
        scoring_(scoring),
        drawings_(drawings),
        progress_("images", truths.pictures().size(), how.quiet) {}

  void end_progress() { progress_.end(); }

  SizeFigures figures() const {
    return {input_, call_times().usual_input(), scoring_.images(), scoring_.metrics(), call_times().of_an_image()};
  }

 private:
  static PictureRunSettings settings_of(const MapModel& how, Task task, const ResizeOptions& resize) {
    PictureRunSettings settings{static_cast<std::size_t>(how.batch), false, how.decode, {}};
    settings.options.task = task;
    settings.options.resize = resize;
    settings.alone = how.sizes.are_timed();
    return settings;
  }

  std::vector<EncodedFile> draw(std::size_t picture, const Image& image, const Result& result,
                                const ActivationMaps& /*activations*/) const override {
    scoring_.compare(picture, image, result);
    if (!drawings_.draws_overlays()) return {};
    if (const auto* const classes = std::get_if<SemanticMap>(&result))
      return {drawings_.draw(picture, image, drawings_of(*classes, categories_))};
    return {drawings_.draw(picture, image, drawings_of(std::get<PanopticMap>(result), categories_))};
  }

  void added(std::size_t picture, const coco::ImageLine& /*line*/, bool /*earlier*/) override {
    scoring_.take(picture);
  }

  void progress(std::size_t pictures, std::size_t run, std::size_t to_run) override {
    progress_.update(pictures, run, to_run);
  }

  InputSettings input_;
  std::vector<Category> categories_;
  MapScoring& scoring_;
  const DrawingFiles& drawings_;
  Progress progress_;
};

/// One evaluation: everything that its passes over the pictures share.
class MapEvaluation {
 public:
  MapEvaluation(const MapOptions& options, const MapFiles& files, const MapModel& how)
      : options_(options),
        files_(files),
        how_(how),
        task_(options.task == EvalTask::semantic ? Task::semantic : Task::panoptic),
        truths_(task_ == Task::semantic ? semantic_truths(options, files, how.limit)
                                        : panoptic_truths(options, files, how.limit)),
        drawings_(drawing_options(options), truths_->stems(), 0) {
    graph::FileRoles roles;
    add_inputs(roles, how.model, how.device);
    truths_->add_inputs(roles);
    drawings_.add_outputs(roles);
    roles.output(files.json);
    roles.output(how.sizes.plot);
    roles.check();
  }

  int run() {
    const Model model = load_model(how_.model, how_.device.model_options());
    const ModelInfo info = model.info();
    check_finds(info, task_);
    for (const ResizeOptions& resize : how_.sizes.resizes()) note_bounded_resize(info, resize);
    if (const std::string remark = truths_->check(info, how_.ignore_labels); !remark.empty()) note(remark);
    drawings_.make_folders();
    const SweepSubject subject{info, how_.device.thread_count(), how_.batch, truths_->scoring()};
    return how_.sizes.are_several() ? run_sizes(model, subject) : run_one(model, subject);
  }

 private:
  static DrawingOptions drawing_options(const MapOptions& options) {
    DrawingOptions drawing;
    drawing.overlay = options.overlay;
    return drawing;
  }

  /// Runs the model at one size. Gives its figures, or nothing where no picture could be used, and what it says of how
  /// long it took.
  std::optional<SizeFigures> pass(const Model& model, const ResizeOptions& resize, MapScoring& scoring,
                                  std::string& took) {
    ResultSink sink({}, truths_->pictures(), {});
    MapRun run(model, how_, task_, resize, *truths_, scoring, drawings_, sink);
    run.run();
    run.end_progress();
    all_used_ = all_used_ && run.failures() == 0;
    const std::size_t all = truths_->pictures().size();
    if (scoring.images() < all)
      report("scored " + std::to_string(scoring.images()) + " of " + std::to_string(all) +
             " images, the others could not be used");
    if (const std::string remark = scoring.remark(); !remark.empty()) note(remark);
    if (scoring.images() == 0) return std::nullopt;
    took = "ran in " + duration_text(run.seconds()) + ": " + run.times();
    return run.figures();
  }

  int run_one(const Model& model, const SweepSubject& subject) {
    const std::unique_ptr<MapScoring> scoring = truths_->begin();
    std::string took;
    const std::optional<SizeFigures> figures = pass(model, how_.sizes.resizes().front(), *scoring, took);
    if (!figures) return kExitBadInput;
    say("%s\n", took.c_str());
    scoring->print(options_.per_class);
    if (!files_.json.empty()) write_text_file(files_.json, scoring->json().dump(1));
    if (!how_.sizes.plot.empty())
      write_text_file(how_.sizes.plot, svg_of(sizes_plot(subject, std::span(&*figures, 1))));
    return all_used_ ? kExitOk : kExitBadInput;
  }

  int run_sizes(const Model& model, const SweepSubject& subject) {
    const auto measure = [&](const ResizeOptions& size) {
      const std::unique_ptr<MapScoring> scoring = truths_->begin();
      std::string took;
      return pass(model, size, *scoring, took);
    };
    const bool all_measured = sweep_sizes(subject, how_.sizes.resizes(), {files_.json, how_.sizes.plot}, measure);
    return all_used_ && all_measured ? kExitOk : kExitBadInput;
  }

  const MapOptions& options_;
  const MapFiles& files_;
  const MapModel& how_;
  Task task_;
  std::unique_ptr<MapTruths> truths_;
  DrawingFiles drawings_;
  bool all_used_ = true;
};

}  // namespace

int evaluate_model_maps(const MapOptions& options, const MapFiles& files, const MapModel& model) {
  return MapEvaluation(options, files, model).run();
}

}  // namespace maskrt::cli
