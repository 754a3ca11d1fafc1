// The maskrt-convert command.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "convert.h"
#include "graph/atomic_file.h"
#include "graph/bracketed_words.h"
#include "graph/misspelled_words.h"
#include "graph/temporary_files.h"
#include "maskrt/types.hpp"
#include "weights_tools/families/families.h"

namespace {

using maskrt::weights::ConvertOptions;
using maskrt::weights::ConvertReport;
using maskrt::weights::published_names;

constexpr int kBadInput = 1, kBadUsage = 2, kClosedPipe = 128 + SIGPIPE;

// "a, b, c and 12 more"; everything with `all`.
std::string list(const std::vector<std::string>& names, bool all) {
  constexpr std::size_t kShown = 5;
  std::string text;
  const std::size_t shown = all || names.size() <= kShown + 1 ? names.size() : kShown;
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return shown == names.size() ? text : text + " and " + std::to_string(names.size() - shown) + " more";
}

void print(const ConvertReport& report, bool verbose) {
  const auto row = [](const char* title, const std::string& text) { std::printf("%-11s %s\n", title, text.c_str()); };
  row("weights", report.source);
  if (!report.names.empty()) row("names", report.names);
  row("model", report.model);
  row("network", report.network);
  row("input", report.input);
  row("labels", report.labels);
  for (const auto& sentence : report.left_out) row("left out", sentence);
  char text[64];
  std::snprintf(text, sizeof text, "%lld in %lld tensors", static_cast<long long>(report.parameters),
                static_cast<long long>(report.tensors));
  row("parameters", text);
  if (!report.unused_tensors.empty())
    row("unused", std::to_string(report.unused_tensors.size()) + " keys: " + list(report.unused_tensors, verbose));
  if (!report.unused_overrides.empty())
    row("not read", "these overrides change nothing here: " + list(report.unused_overrides, true));
  if (!report.likely_mistakes.empty())
    row("not known", "config keys that may be mistyped: " + list(report.likely_mistakes, verbose));
  if (verbose && !report.unused_keys.empty()) row("not read", "config keys: " + list(report.unused_keys, true));
  std::snprintf(text, sizeof text, " (%.1f MB)", static_cast<double>(report.bytes) / 1e6);
  row("wrote", report.output.string() + text);
}

// The positional words: CHECKPOINT unless the weights are random, then KEY VALUE pairs.
void take_words(std::vector<std::string> words, bool random, ConvertOptions& options) {
  std::size_t first = 0;
  if (!random) {
    if (words.empty()) throw CLI::RequiredError("CHECKPOINT or --random-weights");
    options.checkpoint = words[first++];
  }
  if ((words.size() - first) % 2 != 0)
    throw CLI::ValidationError("KEY VALUE", "expected pairs of a config key and its value, found '" + words.back() +
                                                "' alone" + (random ? " (--random-weights takes no checkpoint)" : ""));
  for (std::size_t i = first; i < words.size(); i += 2) options.overrides.emplace_back(words[i], words[i + 1]);
}

int run(int argc, char** argv) {
  CLI::App app{"Converts a detectron2 checkpoint and its config to a maskrt model file.", "maskrt-convert"};
  app.set_version_flag("--version", "maskrt-convert " MASKRT_VERSION);
  app.footer(
      "Without -o the model is written to the working directory, under the checkpoint's name (with --random-weights: "
      "the\n"
      "config's) and the extension .maskrt.\n"
      "\n"
      "Examples:\n"
      "  maskrt-convert sparse_inst_r50_giam_aug.pth --config sparse_inst_r50_giam -o model.maskrt\n"
      "  maskrt-convert model_final.pth --config config.yaml --labels labels.json MODEL.SPARSE_INST.CLS_THRESHOLD "
      "0.05\n"
      "  maskrt-convert --random-weights --config sparse_inst_r50_giam");
  std::vector<std::string> words;
  bool random = false, verbose = false;
  ConvertOptions options;
  std::string labels, output, name, prefix;
  app.add_option("words", words,
                 "The checkpoint (.pth, .pkl or .safetensors), then config overrides as KEY VALUE pairs")
      ->option_text("[CHECKPOINT] [KEY VALUE ...]");
  app.add_flag("--random-weights", random, "Make weights up, the same each time; takes no checkpoint");
  app.add_option("--config", options.config,
                 "A detectron2 YAML file, or the name of a config that a family's authors published")
      ->required()
      ->option_text("NAME-or-FILE");
  app.add_flag_callback(
      "--list-configs",
      [] {
        for (const std::string& published : published_names()) std::printf("%s\n", published.c_str());
        throw CLI::Success();
      },
      "Print the names of the published configs, one a line, and end");
  auto* const labels_option =
      app.add_option("--labels", labels,
                     "Class names: text, one a line; JSON with COCO categories or names; or YAML with names")
          ->option_text("FILE");
  auto* const output_option = app.add_option("-o,--output", output, "The model file to write")->option_text("OUT");
  auto* const name_option =
      app.add_option("--name", name, "What the model calls itself; the config's name by default")->option_text("NAME");
  auto* const prefix_option =
      app.add_option("--prefix", prefix,
                     "What stands before the network's names in the checkpoint, where it holds several networks")
          ->option_text("PREFIX");
  app.add_flag("--verbose", verbose,
               "List every unused tensor, every config key that inference does not read, and all that disagrees");
  try {
    maskrt::parse_whole_words(app, argc, argv);
    take_words(std::move(words), random, options);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::string meant = maskrt::misspelled(app);
    std::fprintf(stderr, "maskrt-convert: %s (see maskrt-convert --help)\n",
                 meant.empty() ? error.what() : meant.c_str());
    return kBadUsage;
  }
  if (labels_option->count() != 0) options.labels = labels;
  if (output_option->count() != 0) options.output = output;
  if (name_option->count() != 0) options.name = name;
  if (prefix_option->count() != 0) options.prefix = prefix;
  options.all_problems = verbose;
  print(convert(options), verbose);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  maskrt::graph::expect_write_errors();
  maskrt::graph::on_end_signals();
  try {
    const int status = run(argc, argv);
    const int failure = maskrt::graph::flush_standard_output();
    if (failure == 0) return status;
    if (failure == EPIPE) return kClosedPipe;
    std::fprintf(stderr, "maskrt-convert: cannot write to the standard output: %s\n", std::strerror(failure));
  } catch (const maskrt::graph::WriteError& error) {
    std::fprintf(stderr, "maskrt-convert: %s\n", error.what());
    if (error.reason() == EPIPE) return kClosedPipe;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "maskrt-convert: expected enough memory for the model, found none left\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "maskrt-convert: %s\n", error.what());
  }
  return kBadInput;
}
