// The pictures and masks that `maskrt run` writes beside its results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "encoded_file.h"
#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"
#include "overlay.h"

namespace CLI {
class App;
}

namespace maskrt::cli {

enum class PictureFormat : std::uint8_t { jpeg, png };

struct DrawingOptions {
  std::string overlay;      ///< folder for pictures with their instances drawn; none where empty
  std::string masks;        ///< folder for a picture of each instance's mask; none where empty
  std::string activations;  ///< folder for a picture of each instance's activation maps; none where empty
  PictureFormat format = PictureFormat::jpeg;
  Colouring colouring = Colouring::instance;

  bool any_of_masks() const { return !overlay.empty() || !masks.empty(); }
};

/// --overlay, --overlay-format, --colour, --masks and --activations.
void add_drawing_options(CLI::App& command, DrawingOptions& options);

/// Draws and encodes. May be used from several threads at once.
class DrawingFiles {
 public:
  /// Instances of at least `minimum_score` are drawn and written. `stems` are the pictures' (output_names.h).
  DrawingFiles(DrawingOptions options, std::vector<std::string> stems, float minimum_score);

  /// All files that may come of draw().
  void add_outputs(graph::FileRoles& roles) const;
  void make_folders() const;

  bool draws_overlays() const { return !options_.overlay.empty(); }
  /// The picture with these drawn over it.
  EncodedFile draw(std::size_t picture, const Image& image, std::span<const Drawing> drawings) const;
  /// The files of one picture. `activations` are its maps where these are drawn. Throws Error where one cannot be made.
  std::vector<EncodedFile> draw(std::size_t picture, const Image& image, std::span<const Instance> instances,
                                const std::vector<Category>& categories, const ActivationMaps& activations) const;

 private:
  const char* extension() const { return options_.format == PictureFormat::png ? ".png" : ".jpg"; }
  std::filesystem::path overlay_path(std::size_t picture) const;

  DrawingOptions options_;
  std::vector<std::string> stems_;
  float minimum_score_;
};

/// A canvas as a file: JPEG of quality 90 without chroma subsampling, which would blur letters and outlines, or PNG. By
/// libmaskrt_images.so where it is there, and else by code of the command's own that takes several times as long.
std::vector<std::byte> encode(const Canvas& canvas, PictureFormat format);

}  // namespace maskrt::cli
