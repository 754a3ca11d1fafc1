// What `maskrt run` writes of semantic and panoptic results: a map for each picture, and of segments what they are.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "drawing_files.h"
#include "encoded_file.h"
#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"
#include "result_sink.h"
#include "runtime/label_maps/panoptic_writer.h"

namespace maskrt::cli {

struct ResultMapOptions {
  Task task = Task::instances;
  std::string semantic;  ///< folder for label maps, DIR/NAME.png; none where empty
  std::string panoptic;  ///< folder for maps of segments, DIR/NAME.png; none where empty
  std::string json;      ///< of panoptic: what the segments are. Empty: called like the folder, with ".json"
};

/// --task, --semantic and --panoptic.
void add_result_map_options(CLI::App& command, ResultMapOptions& options);

/// Encodes and writes the maps of a task. encode() may be called from several threads at once, all else from one.
class ResultMaps {
 public:
  /// `stems` are the pictures' (output_names.h). All outlive it.
  ResultMaps(const ResultMapOptions& options, std::vector<std::string> stems, std::span<const Picture> pictures,
             const DrawingFiles& drawings);

  /// All files that may come of it.
  void add_outputs(graph::FileRoles& roles) const;
  /// Makes the folders and opens the file of segments. Throws Error.
  void open();

  /// The files of one picture: its map, and its drawing where drawings are wanted. Throws Error for a result that has
  /// no such form.
  std::vector<EncodedFile> encode(std::size_t picture, const Image& image, const Result& result,
                                  const std::vector<Category>& categories) const;
  /// Throws Error and WriteError.
  void write(const EncodedFile& file);

  /// Completes the file of segments. Throws WriteError.
  void finish();
  /// For a run that stops early: completes it with the pictures so far. Throws nothing.
  void keep() noexcept;

 private:
  std::filesystem::path folder() const;
  std::filesystem::path json() const;
  std::filesystem::path map_path(std::size_t picture) const { return folder() / (stems_[picture] + ".png"); }

  ResultMapOptions options_;
  std::vector<std::string> stems_;
  std::span<const Picture> pictures_;
  const DrawingFiles& drawings_;
  std::optional<label_maps::PanopticWriter> segments_;
};

}  // namespace maskrt::cli
