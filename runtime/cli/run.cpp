// `maskrt run`: instances in images, as COCO results, pictures and masks.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "annotated_pictures.h"
#include "command.h"
#include "console.h"
#include "graph/file_roles.h"
#include "inputs.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "outputs.h"
#include "overlay.h"
#include "picture_run.h"
#include "png.h"
#include "result_sink.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

/// What is drawn and counted where --score does not say otherwise: below it, detections are mostly wrong.
constexpr float default_shown_score = 0.4f;

struct RunArguments {
  std::string model;
  std::vector<std::string> inputs;
  std::optional<float> score;
  int batch = 1;
  ResultFiles results;
  std::string overlay, masks, annotations;
  bool fail_fast = false, quiet = false;
  DecodeOptions decode;
  DeviceOptions device;
};

std::vector<Picture> pictures_of(const std::vector<Input>& inputs, const std::string& annotations) {
  std::vector<Picture> pictures;
  for (const Input& input : inputs) pictures.push_back({input.path, input.file_name, input.image_id});
  if (!annotations.empty()) take_annotated_ids(pictures, annotations);
  return pictures;
}

fs::path overlay_path(const RunArguments& arguments, const Input& input) {
  return fs::path(arguments.overlay) / (input.stem + ".png");
}

std::string mask_name(const Input& input, std::size_t index, const std::string& label) {
  char number[32];
  std::snprintf(number, sizeof number, "_%03zu_", index);
  return input.stem + number + sanitised(label) + ".png";
}

/// True for what mask_name() gives for one of `stems`, an index and a label.
bool is_mask_name(const std::string& name, const std::set<std::string>& stems) {
  if (!name.ends_with(".png")) return false;
  for (std::size_t i = name.find('_'); i != std::string::npos; i = name.find('_', i + 1)) {
    const std::size_t end = name.find_first_not_of("0123456789", i + 1);
    if (end != std::string::npos && end >= i + 4 && name[end] == '_' && stems.contains(name.substr(0, i))) return true;
  }
  return false;
}

void check_files(const RunArguments& arguments, const std::vector<Input>& inputs) {
  graph::FileRoles roles;
  add_inputs(roles, arguments.model, arguments.device);
  roles.input(arguments.annotations);
  std::set<std::string> stems;
  for (const Input& input : inputs) {
    roles.input(input.path);
    stems.insert(input.stem);
    if (!arguments.overlay.empty()) roles.output(overlay_path(arguments, input));
  }
  roles.output(arguments.results.list);
  roles.output(arguments.results.lines);
  roles.outputs(arguments.masks, [&stems](const std::string& name) { return is_mask_name(name, stems); });
  roles.check();
}

/// Writes pictures and masks, tells of each image, and counts.
class Runner final : public PictureRun {
 public:
  Runner(const RunArguments& arguments, std::span<const Input> inputs, std::span<const Picture> pictures,
         const Model& model, Session& session, ResultSink& sink)
      : PictureRun(session, pictures, sink, settings_of(arguments)),
        arguments_(arguments),
        inputs_(inputs),
        shown_score_(arguments.score.value_or(default_shown_score)),
        categories_(model.info().categories) {
    for (const Input& input : inputs)
      name_width_ = std::min(40, std::max(name_width_, static_cast<int>(input.file_name.size())));
  }

  void print_summary() const {
    const auto images = static_cast<double>(ran());
    say("%zu %s", ran() + earlier_, ran() + earlier_ == 1 ? "image" : "images");
    if (earlier_ > 0) say(", %zu of them done before", earlier_);
    if (failures() > 0) say(", %zu failed", failures());
    say(", %td %s of score %.2f or more", detections_, detections_ == 1 ? "detection" : "detections",
        static_cast<double>(shown_score_));
    if (ran() > 0) say(", %.1f ms an image (network %.1f)", 1e3 * seconds() / images, 1e3 * network_seconds() / images);
    say("\n");
  }

 private:
  static PictureRunSettings settings_of(const RunArguments& arguments) {
    PictureRunSettings settings{static_cast<std::size_t>(arguments.batch), arguments.fail_fast, arguments.decode, {}};
    settings.options.minimum_score = arguments.score.value_or(0.0f);
    if (arguments.overlay.empty() && arguments.masks.empty()) settings.options.mask_form = MaskForm::runs;
    return settings;
  }

  void draw(std::size_t picture, const Image& image, const std::vector<Instance>& instances) override {
    const Input& input = inputs_[picture];
    if (!arguments_.overlay.empty()) {
      Canvas canvas(image);
      draw_overlay(canvas, drawings_of(instances, categories_, shown_score_));
      write_png(overlay_path(arguments_, input), canvas.rgb(), canvas.width(), canvas.height(), 3);
    }
    for (std::size_t i = 0; i < instances.size() && !arguments_.masks.empty(); ++i) {
      const Mask& mask = instances[i].mask;
      std::vector<std::uint8_t> pixels = mask.bitmap();
      for (std::uint8_t& pixel : pixels) pixel = pixel != 0 ? 255 : 0;
      write_png(fs::path(arguments_.masks) / mask_name(input, i, instances[i].label), pixels, mask.width(),
                mask.height(), 1);
    }
  }

  void added(std::size_t picture, const coco::ImageLine& line, std::optional<double> seconds) override {
    const auto shown = std::count_if(line.instances.begin(), line.instances.end(), [&](const coco::CocoResult& result) {
      return static_cast<float>(result.score) >= shown_score_;
    });
    detections_ += shown;
    if (!seconds) {
      ++earlier_;
    } else if (!arguments_.quiet) {
      say("%-*s  %5dx%-5d %4td %s %9.1f ms\n", name_width_, inputs_[picture].file_name.c_str(), line.width, line.height,
          shown, shown == 1 ? "detection " : "detections", 1e3 * *seconds);
    }
  }

  const RunArguments& arguments_;
  std::span<const Input> inputs_;
  float shown_score_;
  std::vector<Category> categories_;
  int name_width_ = 8;
  std::size_t earlier_ = 0;
  std::ptrdiff_t detections_ = 0;
};

int run(const RunArguments& arguments) {
  if (arguments.results.resume && arguments.results.lines.empty())
    throw UsageError("--resume goes on from a file of lines: it needs --jsonl FILE");
  // Arguments first: a mistyped folder should not wait for the model.
  const std::vector<Input> inputs = expand_inputs(arguments.inputs);
  const std::vector<Picture> pictures = pictures_of(inputs, arguments.annotations);
  check_files(arguments, inputs);

  const Model model = load_model(arguments.model, arguments.device.model_options());
  Session session(model, arguments.device.session_options());
  if (!arguments.overlay.empty()) make_folder(arguments.overlay);
  if (!arguments.masks.empty()) make_folder(arguments.masks);
  const std::string described =
      arguments.results.lines.empty() ? "" : describe_run(arguments.model, arguments.score, arguments.decode);
  ResultSink sink(arguments.results, pictures, described);
  Runner runner(arguments, inputs, pictures, model, session, sink);
  runner.run();
  if (!arguments.quiet) runner.print_summary();
  return runner.failures() == 0 ? exit_ok : exit_bad_input;
}

}  // namespace

Command add_run(CLI::App& app) {
  CLI::App* command = app.add_subcommand("run", "Finds the instances in images");
  const auto arguments = std::make_shared<RunArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->required()->type_name("");
  command->add_option("INPUT", arguments->inputs, "Images, folders of images, and patterns such as 'in/*.jpg'")
      ->required()
      ->type_name("");
  command
      ->add_option_function<float>(
          "--score", [arguments](float score) { arguments->score = score; },
          "Leave out instances of a lower final score (default: --json and\n"
          "--masks get all that the model's threshold keeps, --overlay\n"
          "draws from 0.4)")
      ->check(share())
      ->type_name("S");
  add_batch_option(*command, arguments->batch);
  add_output_option(*command, "--json", arguments->results.list, "Write one list of COCO results");
  add_line_options(*command, arguments->results);
  command
      ->add_option("--annotations", arguments->annotations,
                   "Take image ids and file names of the results from these COCO annotations")
      ->type_name("FILE");
  command->add_option("--overlay", arguments->overlay, "Write each image with its instances drawn, DIR/NAME.png")
      ->type_name("DIR");
  command
      ->add_option("--masks", arguments->masks,
                   "Write each instance's mask as a grey picture of 0 and 255,\nDIR/NAME_INDEX_CATEGORY.png")
      ->type_name("DIR");
  add_decode_options(*command, arguments->decode);
  command->add_flag("--fail-fast", arguments->fail_fast, "Stop at the first image that cannot be used");
  command->add_flag("--quiet", arguments->quiet, "Print errors only");
  add_device_options(*command, arguments->device);
  command->footer(
      "An image that cannot be used is reported and skipped, and the exit status is 1. A run that is stopped keeps "
      "what it\n"
      "has found so far.\n"
      "In the results, image_id is the number that the file's name is made of (000000000139.jpg is 139) where all\n"
      "names are numbers and differ, otherwise the image's position among the inputs, from 1; file_name is the last\n"
      "part of the path, or all of it where two images share the last part. With --annotations both are those of the\n"
      "annotated image whose file_name ends the input's path.\n\n"
      "Example:\n  maskrt run model.maskrt photos/ --json results.json --overlay drawn --batch 2");
  return [arguments] { return run(*arguments); };
}

}  // namespace maskrt::cli
