#include "drawing_files.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstddef>
#include <set>
#include <utility>

#include "activation_picture.h"
#include "graph/safetensors.h"
#include "mask_png.h"
#include "options.h"
#include "output_names.h"
#include "outputs.h"
#include "png.h"
#include "runtime/image/open_image_library.h"

namespace maskrt::cli {

namespace fs = std::filesystem;

void add_drawing_options(CLI::App& command, DrawingOptions& options) {
  command.add_option("--overlay", options.overlay, "Write each image with its instances drawn, DIR/NAME.jpg")
      ->type_name("DIR");
  command
      .add_option_function<std::string>(
          "--overlay-format",
          [&options](const std::string& name) {
            options.format = name == "png" ? PictureFormat::png : PictureFormat::jpeg;
          },
          "As jpg (default) or png; --activations, too")
      ->check(one_of({"jpg", "jpeg", "png"}))
      ->type_name("FORMAT");
  command
      .add_option_function<std::string>(
          "--colour,--color",
          [&options](const std::string& name) {
            options.colouring = name == "class" ? Colouring::by_class : Colouring::instance;
          },
          "Give each instance a colour of its own (default), or each class")
      ->check(one_of({"instance", "class"}))
      ->type_name("instance|class");
  command
      .add_option("--masks", options.masks,
                  "Write the mask of each instance that is drawn as a grey picture\n"
                  "of 0 and 255, DIR/NAME_INDEX_CATEGORY.png")
      ->type_name("DIR");
  command
      .add_option("--activations", options.activations,
                  "Write the instance activation maps of each instance that is drawn\n"
                  "as heat over the image, DIR/NAME_INDEX_CATEGORY_iam.jpg")
      ->type_name("DIR");
}

DrawingFiles::DrawingFiles(DrawingOptions options, std::vector<std::string> stems, float minimum_score)
    : options_(std::move(options)), stems_(std::move(stems)), minimum_score_(minimum_score) {}

void DrawingFiles::add_outputs(graph::FileRoles& roles) const {
  for (std::size_t i = 0; i < stems_.size() && !options_.overlay.empty(); ++i) roles.output(overlay_path(i));
  const std::set<std::string> stems(stems_.begin(), stems_.end());
  roles.outputs(options_.masks, [stems](const std::string& name) { return is_mask_name(name, stems); });
  roles.outputs(options_.activations, [stems, extension = extension()](const std::string& name) {
    return is_activations_name(name, stems, extension);
  });
}

void DrawingFiles::make_folders() const {
  if (!options_.overlay.empty()) make_folder(options_.overlay);
  if (!options_.masks.empty()) make_folder(options_.masks);
  if (!options_.activations.empty()) make_folder(options_.activations);
}

EncodedFile DrawingFiles::draw(std::size_t picture, const Image& image, std::span<const Drawing> drawings) const {
  Canvas canvas(image);
  draw_overlay(canvas, drawings);
  return {overlay_path(picture), encode(canvas, options_.format), FileOf::overlay, 0, {}};
}

std::vector<EncodedFile> DrawingFiles::draw(std::size_t picture, const Image& image,
                                            std::span<const Instance> instances,
                                            const std::vector<Category>& categories,
                                            const ActivationMaps& activations) const {
  std::vector<EncodedFile> files;
  if (draws_overlays())
    files.push_back(draw(picture, image, drawings_of(instances, categories, minimum_score_, options_.colouring)));
  for (std::size_t i = 0; i < instances.size() && !options_.masks.empty(); ++i) {
    if (instances[i].score < minimum_score_) continue;
    files.push_back({fs::path(options_.masks) / mask_name(stems_[picture], i, instances[i].label),
                     encode_mask(instances[i].mask),
                     FileOf::mask,
                     i,
                     {}});
  }
  if (options_.activations.empty()) return files;
  const Canvas below(image);
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (instances[i].score < minimum_score_) continue;
    const std::string name = activations_name(stems_[picture], i, instances[i].label, extension());
    files.push_back({fs::path(options_.activations) / name,
                     encode(activation_picture(below, activations, instances[i].query), options_.format),
                     FileOf::activations,
                     i,
                     {}});
  }
  return files;
}

void write(const EncodedFile& file, coco::ImageLine& line) {
  graph::write_file(file.path, file.bytes);
  switch (file.of) {
    case FileOf::overlay:
      line.overlay = file.path.string();
      return;
    case FileOf::mask:
      line.instances.at(file.instance).mask_file = file.path.string();
      return;
    case FileOf::activations:
      line.instances.at(file.instance).activations_file = file.path.string();
      return;
    case FileOf::map:
      return;  // lines are of instances
  }
}

fs::path DrawingFiles::overlay_path(std::size_t picture) const {
  return fs::path(options_.overlay) / (stems_[picture] + extension());
}

std::vector<std::byte> encode(const Canvas& canvas, PictureFormat format) {
  const int width = canvas.width(), height = canvas.height();
  const bool png = format == PictureFormat::png;
  if (image::image_library() == nullptr)
    return png ? encode_png(canvas.rgb(), width, height, 3) : encode_jpeg(canvas.rgb(), width, height, 91);
  const std::ptrdiff_t stride = std::ptrdiff_t{3} * width;
  constexpr int quality = 90, fast = 1;
  return png ? image::encode_png(canvas.rgb().data(), width, height, stride, fast)
             : image::encode_jpeg(canvas.rgb().data(), width, height, stride, quality, MASKRT_SUBSAMPLING_444);
}

}  // namespace maskrt::cli
