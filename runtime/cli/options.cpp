#include "options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <utility>

#include "command.h"
#include "console.h"
#include "graph/rewrites/rewrites.h"
#include "outputs.h"
#include "runtime/precision.h"
#include "runtime/support/usable_processors.h"

namespace maskrt::cli {

namespace {

template <typename Number>
std::optional<Number> parse(const std::string& text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::string refusal(const std::string& expected, const std::string& text) {
  return "expected " + expected + ", found '" + text + "'";
}

}  // namespace

Check whole_number(long low, long high) {
  return [=](const std::string& text) -> std::string {
    const auto number = parse<long>(text);
    if (number && *number >= low && *number <= high) return {};
    return refusal("a whole number from " + std::to_string(low) + " to " + std::to_string(high), text);
  };
}

Check share() {
  return [](const std::string& text) -> std::string {
    const auto number = parse<double>(text);
    return number && *number >= 0 && *number <= 1 ? "" : refusal("a number from 0 to 1", text);
  };
}

Check one_of(std::vector<std::string> names) {
  return [names = std::move(names)](const std::string& text) -> std::string {
    if (std::find(names.begin(), names.end(), text) != names.end()) return {};
    std::string expected = names.front();
    for (std::size_t i = 1; i < names.size(); ++i) expected += (i + 1 < names.size() ? ", " : " or ") + names[i];
    return refusal(expected, text);
  };
}

Check device_name() {
  return [](const std::string& text) -> std::string {
    if (text == "auto" || text == "cpu" || text == "cuda") return {};
    if (text.starts_with("cuda:") && parse<unsigned>(text.substr(5))) return {};
    return refusal("auto, cpu, cuda or cuda:N", text);
  };
}

namespace {

std::vector<std::string> precision_names() {
  std::vector<std::string> names{"auto"};
  for (const PrecisionEntry& entry : kPrecisions) names.emplace_back(entry.name);
  return names;
}

}  // namespace

ModelOptions DeviceOptions::model_options() const {
  ModelOptions options;
  options.device = device;
  options.tuning = tuning;
  options.deterministic = deterministic;
  if (const std::optional<Precision> named = precision_named(precision)) options.precision = compute_of(*named);
  return options;
}

SessionOptions DeviceOptions::session_options() const {
  SessionOptions options;
  options.threads = threads;
  return options;
}

int DeviceOptions::thread_count() const { return threads > 0 ? threads : usable_processors(); }

Model load_model(const std::string& path, const ModelOptions& options) {
  Model model = Model::load(path, options);
  const ModelInfo info = model.info();
  if (!info.device_reason.empty()) note("running on the CPU: " + info.device_reason);
  if (!info.tuning_reason.empty()) note("without the tuning file: " + info.tuning_reason);
  return model;
}

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command.add_option("--device", options.device, "Where the network runs: auto, cpu, cuda or cuda:N (the N-th GPU)")
      ->check(device_name())
      ->type_name("NAME")
      ->capture_default_str()
      ->group("Device");
  command
      .add_option("--precision", options.precision, "What it computes in: auto, fp32, bf16 (CPU), fp16 or tf32 (GPU)")
      ->check(one_of(precision_names()))
      ->type_name("NAME")
      ->capture_default_str()
      ->group("Device");
  command
      .add_option("--tuning", options.tuning,
                  "Measured choices of algorithms, from 'maskrt tune'; none are measured then")
      ->type_name("FILE")
      ->group("Device");
  command
      .add_flag("--deterministic", options.deterministic,
                "Measure nothing to choose algorithms: --tuning or a rule decides, the same in each process")
      ->group("Device");
  command.add_option("--threads", options.threads, "Threads; 0: all that the process may use")
      ->check(whole_number(0, 1024))
      ->type_name("N")
      ->capture_default_str()
      ->group("Device");
}

std::set<std::string, std::less<>> RewriteOptions::rewrites_off() const {
  if (none) return {"all"};
  return {off.begin(), off.end()};
}

void add_rewrite_options(CLI::App& command, RewriteOptions& options, const std::string& without) {
  std::vector<std::string> names;
  for (const graph::Rewrite& rewrite : graph::rewrites()) names.emplace_back(rewrite.name);
  command.add_flag("--no-rewrites", options.none, without);
  command.add_option("--rewrites-off", options.off, "Rewrites to leave out, by name, separated by commas")
      ->check(one_of(std::move(names)))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAMES");
}

CLI::Option* add_output_option(CLI::App& command, const std::string& name, std::string& path, const std::string& help) {
  return command
      .add_option_function<std::string>(
          name, [&path](const std::string& text) { path = output_path(text); }, help)
      ->type_name("FILE");
}

void add_inputs(graph::FileRoles& roles, const std::string& model, const DeviceOptions& device) {
  roles.input(model);
  roles.input(device.tuning);
}

void add_batch_option(CLI::App& command, int& batch) {
  command.add_option("--batch", batch, "Images that run together, padded to the largest of them")
      ->check(whole_number(1, 1024))
      ->type_name("N")
      ->capture_default_str();
}

void add_quiet_flag(CLI::App& command, bool& quiet) {
  command.add_flag_callback(
      "--quiet",
      [&quiet] {
        quiet = true;
        print_errors_alone();
      },
      "Print errors alone");
}

void add_decode_options(CLI::App& command, DecodeOptions& options) {
  command.add_flag_callback(
      "--no-exif", [&options] { options.exif_orientation = false; },
      "Keep the pixels as they are stored, whatever orientation EXIF says");
}

std::optional<Size> parse_size(const std::string& text) {
  constexpr int largest = 65536;
  Size size;
  const char* const end = text.data() + text.size();
  const auto height = std::from_chars(text.data(), end, size.height);
  if (height.ec != std::errc() || height.ptr == end || (*height.ptr != 'x' && *height.ptr != 'X')) return std::nullopt;
  const auto width = std::from_chars(height.ptr + 1, end, size.width);
  if (width.ec != std::errc() || width.ptr != end) return std::nullopt;
  if (size.height < 1 || size.width < 1 || size.height > largest || size.width > largest) return std::nullopt;
  return size;
}

Size padded(Size size, int divisibility) {
  const int step = std::max(1, divisibility);
  const auto up = [step](int side) { return (side + step - 1) / step * step; };
  return {up(size.height), up(size.width)};
}

Size usual_size(const InputSettings& input) {
  if (input.min_size <= 0) return {640, 864};
  if (input.max_size <= 0) return {input.min_size, (4 * input.min_size + 1) / 3};
  return {std::min(input.min_size, input.max_size), input.max_size};
}

std::string size_text(Size size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

void add_size_option(CLI::App& command, const std::string& name, std::optional<Size>& size, const std::string& help) {
  command
      .add_option_function<std::string>(
          name, [&size](const std::string& text) { size = parse_size(text); }, help)
      ->check([](const std::string& text) -> std::string {
        if (parse_size(text)) return {};
        return refusal("a height and a width such as 640x864", text);
      })
      ->type_name("HxW");
}

Check side_length() { return whole_number(0, 65536); }

void add_max_size_option(CLI::App& command, std::optional<int>& max_size) {
  command
      .add_option_function<int>(
          "--max-size", [&max_size](int side) { max_size = side; },
          "The bound on the longer side of resized pictures, in pixels, as\n"
          "INPUT.MAX_SIZE_TEST (default: the model's); 0: none")
      ->check(side_length())
      ->type_name("N");
}

void add_resize_options(CLI::App& command, ResizeOptions& resize) {
  command
      .add_option_function<int>(
          "--min-size", [&resize](int side) { resize.min_size = side; },
          "The shorter side of resized pictures, in pixels, as\n"
          "INPUT.MIN_SIZE_TEST (default: the model's); 0: no resize")
      ->check(side_length())
      ->type_name("N");
  add_max_size_option(command, resize.max_size);
}

void note_bounded_resize(const ModelInfo& model, const ResizeOptions& resize) {
  const InputSettings input = input_settings(model, resize);
  if (!resize.min_size && !resize.max_size) return;
  if (input.max_size > 0 && input.min_size > input.max_size)
    note("a shorter side of " + std::to_string(input.min_size) + " is beyond the bound on the longer one, " +
         std::to_string(input.max_size) + ", which decides (--max-size)");
}

std::string resize_text(const InputSettings& input) {
  if (input.min_size <= 0) return "none";
  const std::string shortest = "shortest edge " + std::to_string(input.min_size);
  return input.max_size <= 0 ? shortest : shortest + ", longest at most " + std::to_string(input.max_size);
}

void check_one_size(const std::optional<Size>& size, const ResizeOptions& resize) {
  if (size && (resize.min_size || resize.max_size))
    throw UsageError("--size is the network's input itself: it goes without --min-size and --max-size");
}

Size network_size(const std::optional<Size>& size, const ModelInfo& model, const ResizeOptions& resize) {
  const InputSettings input = input_settings(model, resize);
  return padded(size.value_or(usual_size(input)), input.size_divisibility);
}

}  // namespace maskrt::cli
