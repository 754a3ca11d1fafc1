// Options that several commands share.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace maskrt::cli {

/// Gives what is wrong with an option's text, or nothing.
using Check = std::function<std::string(const std::string&)>;

/// A whole number from `low` to `high`.
Check whole_number(long low, long high);
/// A number from 0 to 1.
Check share();
Check one_of(std::vector<std::string> names);
/// auto, cpu, cuda or cuda:N.
Check device_name();

/// --device, --precision, --tuning, --deterministic and --threads.
struct DeviceOptions {
  std::string device = "auto";
  std::string precision = "auto";
  std::string tuning;
  bool deterministic = false;
  int threads = 0;  ///< 0: all that the process may use

  ModelOptions model_options() const;
  SessionOptions session_options() const;
  /// `threads`, or how many 0 means.
  int thread_count() const;
};

/// Loads a model; where "auto" found no GPU or the tuning file is ignored, a line on stderr says why.
Model load_model(const std::string& path, const ModelOptions& options);

/// `options` must outlive the parsing.
void add_device_options(CLI::App& command, DeviceOptions& options);

/// --no-rewrites and --rewrites-off.
struct RewriteOptions {
  bool none = false;
  std::vector<std::string> off;  ///< names of graph::rewrites()

  /// ModelOptions::rewrites_off.
  std::set<std::string, std::less<>> rewrites_off() const;
};

/// `without`: what --no-rewrites does. `options` must outlive the parsing.
void add_rewrite_options(CLI::App& command, RewriteOptions& options, const std::string& without);

/// An option for a file to write; "-" is the standard output (outputs.h).
CLI::Option* add_output_option(CLI::App& command, const std::string& name, std::string& path, const std::string& help);

/// The files that every command reads: the model and what --tuning names.
void add_inputs(graph::FileRoles& roles, const std::string& model, const DeviceOptions& device);

/// --batch, from 1.
void add_batch_option(CLI::App& command, int& batch);

/// --quiet: print_errors_alone() (console.h).
void add_quiet_flag(CLI::App& command, bool& quiet);

/// --no-exif.
void add_decode_options(CLI::App& command, DecodeOptions& options);

/// Height and width.
struct Size {
  int height = 0, width = 0;
  bool operator==(const Size&) const = default;
};

/// "640x864" as height 640 and width 864; nothing where the text is not two whole numbers from 1 to 65536 and an "x".
std::optional<Size> parse_size(const std::string& text);
std::string size_text(Size size);

/// Both rounded up to multiples; 0 or 1: as they are.
Size padded(Size size, int divisibility);

/// The largest that a shortest-edge resize makes of a picture, before padding; without a bound on the longest edge,
/// what it makes of one of 4:3; 640x864 where nothing is resized.
Size usual_size(const InputSettings& input);

/// An option that takes "HxW"; other text is a usage error.
void add_size_option(CLI::App& command, const std::string& name, std::optional<Size>& size, const std::string& help);

/// A side of a resized picture, or 0.
Check side_length();

/// --min-size and --max-size, as INPUT.MIN_SIZE_TEST and MAX_SIZE_TEST.
void add_resize_options(CLI::App& command, ResizeOptions& resize);
void add_max_size_option(CLI::App& command, std::optional<int>& max_size);

/// A line on stderr where the bound on the longer side makes the shorter one less than what --min-size asks for.
void note_bounded_resize(const ModelInfo& model, const ResizeOptions& resize);

/// "shortest edge 640, longest at most 853", "shortest edge 640" without a bound, or "none".
std::string resize_text(const InputSettings& input);

/// Throws UsageError where --size is given with --min-size or --max-size, from which it would be made otherwise.
void check_one_size(const std::optional<Size>& size, const ResizeOptions& resize);

/// The network's input for commands that run it alone: `size` where --size is given, or else usual_size() of the
/// resize; rounded up to what the model needs.
Size network_size(const std::optional<Size>& size, const ModelInfo& model, const ResizeOptions& resize);

}  // namespace maskrt::cli
