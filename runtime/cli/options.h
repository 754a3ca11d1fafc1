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

/// What a picture of 4:3 and more becomes under a model's shortest-edge resize, before padding; 640x864 for a model
/// that resizes nothing.
Size usual_size(int min_size, int max_size);

/// An option that takes "HxW"; other text is a usage error.
void add_size_option(CLI::App& command, const std::string& name, std::optional<Size>& size, const std::string& help);

}  // namespace maskrt::cli
