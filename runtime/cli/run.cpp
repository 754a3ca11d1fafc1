// `maskrt run`: instances in images, as COCO results, pictures and masks.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../coco/results.h"
#include "command.h"
#include "inputs.h"
#include "interrupt.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "outputs.h"
#include "overlay.h"
#include "png.h"

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
  std::string json, overlay, masks;
  bool fail_fast = false, quiet = false;
  DecodeOptions decode;
  DeviceOptions device;
};

/// An image that could be read, with what it was read from.
struct Loaded {
  const Input* input;
  Image image;
};

/// Runs batches, writes what was asked for, and counts.
class Runner {
 public:
  explicit Runner(const RunArguments& arguments)
      : arguments_(arguments),
        shown_score_(arguments.score.value_or(default_shown_score)),
        model_(load_model(arguments.model, arguments.device.model_options())),
        categories_(model_.info().categories),
        session_(model_, arguments.device.session_options()) {
    if (!arguments_.overlay.empty()) make_folder(arguments_.overlay);
    if (!arguments_.masks.empty()) make_folder(arguments_.masks);
    if (!arguments_.json.empty()) {
      make_folder_of(arguments_.json);
      json_.emplace(arguments_.json);
    }
  }

  int run(const std::vector<Input>& inputs) {
    for (const Input& input : inputs)
      name_width_ = std::min(40, std::max(name_width_, static_cast<int>(input.file_name.size())));
    std::vector<Loaded> batch;
    for (const Input& input : inputs) {
      check_interrupt();
      attempt(input, [&] { batch.push_back({&input, Image::from_file(input.path.string(), arguments_.decode)}); });
      if (batch.size() == static_cast<std::size_t>(arguments_.batch)) run_batch(std::exchange(batch, {}));
    }
    if (!batch.empty()) run_batch(batch);
    if (json_ && images_ > 0) json_->finish();
    if (!arguments_.quiet) print_summary();
    return failures_ == 0 ? exit_ok : exit_bad_input;
  }

 private:
  /// Does `work`; an error of it is reported as the input's, or thrown on with --fail-fast.
  template <typename Work>
  void attempt(const Input& input, const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      std::string sentence = error.what();
      if (sentence.find(input.path.string()) == std::string::npos) sentence = input.path.string() + ": " + sentence;
      if (arguments_.fail_fast) throw Error(sentence);
      std::fflush(stdout);
      report(sentence);
      ++failures_;
    }
  }

  void run_batch(const std::vector<Loaded>& batch) {
    std::vector<Image> images;
    for (const Loaded& loaded : batch) images.push_back(loaded.image);
    RunOptions options;
    options.minimum_score = arguments_.score.value_or(0.0f);
    if (arguments_.overlay.empty() && arguments_.masks.empty()) options.mask_form = MaskForm::runs;
    std::vector<std::vector<Instance>> instances;
    try {
      instances = session_.run(images, options);
    } catch (const Error&) {
      if (batch.size() > 1) {  // one image's fault: the others still count
        for (const Loaded& loaded : batch) run_batch({loaded});
        return;
      }
      attempt(*batch.front().input, [] { throw; });
      return;
    }
    const Timings timings = session_.timings();
    const double seconds = timings.preprocess + timings.network + timings.postprocess;
    seconds_ += seconds;
    network_seconds_ += timings.network;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      write(batch[i], instances[i]);
      ++images_;
      const auto shown = std::count_if(instances[i].begin(), instances[i].end(),
                                       [&](const Instance& instance) { return instance.score >= shown_score_; });
      detections_ += shown;
      if (!arguments_.quiet)
        std::printf("%-*s  %5dx%-5d %4td %s %9.1f ms\n", name_width_, batch[i].input->file_name.c_str(),
                    batch[i].image.width(), batch[i].image.height(), shown, shown == 1 ? "detection " : "detections",
                    1e3 * seconds / static_cast<double>(batch.size()));
    }
  }

  void write(const Loaded& loaded, const std::vector<Instance>& instances) {
    const Input& input = *loaded.input;
    if (json_) {
      for (const Instance& instance : instances) {
        const Box& box = instance.box;
        json_->add({input.file_name,
                    input.image_id,
                    instance.category_id,
                    instance.label,
                    {{double(box.x), double(box.y), double(box.width), double(box.height)}},
                    instance.score,
                    instance.mask.rle()});
      }
    }
    if (!arguments_.overlay.empty()) {
      Canvas canvas(loaded.image);
      draw_overlay(canvas, drawings_of(instances, categories_, shown_score_));
      write_png(fs::path(arguments_.overlay) / (input.stem + ".png"), canvas.rgb(), canvas.width(), canvas.height(), 3);
    }
    if (!arguments_.masks.empty()) write_masks(input, instances);
  }

  void write_masks(const Input& input, const std::vector<Instance>& instances) {
    for (std::size_t i = 0; i < instances.size(); ++i) {
      std::vector<std::uint8_t> pixels = instances[i].mask.bitmap();
      for (std::uint8_t& pixel : pixels) pixel = pixel != 0 ? 255 : 0;
      char index[32];
      std::snprintf(index, sizeof index, "_%03zu_", i);
      write_png(fs::path(arguments_.masks) / (input.stem + index + sanitised(instances[i].label) + ".png"), pixels,
                instances[i].mask.width(), instances[i].mask.height(), 1);
    }
  }

  void print_summary() const {
    std::printf("%zu %s", images_, images_ == 1 ? "image" : "images");
    if (failures_ > 0) std::printf(", %zu failed", failures_);
    std::printf(", %td %s of score %.2f or more", detections_, detections_ == 1 ? "detection" : "detections",
                static_cast<double>(shown_score_));
    const auto per_image = [&](double seconds) { return 1e3 * seconds / static_cast<double>(images_); };
    if (images_ > 0) std::printf(", %.1f ms an image (network %.1f)", per_image(seconds_), per_image(network_seconds_));
    std::printf("\n");
  }

  const RunArguments& arguments_;
  float shown_score_;
  Model model_;
  std::vector<Category> categories_;
  Session session_;
  std::optional<coco::ResultsWriter> json_;
  int name_width_ = 8;
  std::size_t images_ = 0, failures_ = 0;
  std::ptrdiff_t detections_ = 0;
  double seconds_ = 0, network_seconds_ = 0;
};

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
  command->add_option("--json", arguments->json, "Write one list of COCO results")->type_name("FILE");
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
      "An image that cannot be used is reported and skipped, and the exit status is 1.\n"
      "In the results, image_id is the number that the file's name is made of (000000000139.jpg is 139) where all\n"
      "names are numbers and differ, otherwise the image's position among the inputs, from 1; file_name is the last\n"
      "part of the path, or all of it where two images share the last part.\n\n"
      "Example:\n  maskrt run model.maskrt photos/ --json results.json --overlay drawn --batch 2");
  return [arguments] {
    // Arguments first: a mistyped folder should not wait for the model.
    const std::vector<Input> inputs = expand_inputs(arguments->inputs);
    return Runner(*arguments).run(inputs);
  };
}

}  // namespace maskrt::cli
