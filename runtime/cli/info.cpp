// `maskrt info`: what a model file holds, what the network computes, and what running it takes.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "console.h"
#include "graph/model_file.h"
#include "graph/print.h"
#include "graph/rewrites/report.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "runtime/model.h"

namespace maskrt::cli {
namespace {

struct InfoArguments {
  std::string model;
  bool graph = false;
  std::optional<Size> size;
  ResizeOptions resize;
  int batch = 1;
  DeviceOptions device;
  RewriteOptions rewrites;
};

constexpr const char* kLineFormat = "%-18s %s\n";

void print_line(const char* name, const std::string& text) { say(kLineFormat, name, text.c_str()); }

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", 1e-6 * static_cast<double>(bytes));
  return text;
}

std::string three(const float* values) {
  return number_text(values[0]) + ", " + number_text(values[1]) + ", " + number_text(values[2]);
}

/// "5: circle, square, triangle, star, ring"; of many, the first and the last.
std::string classes_text(const std::vector<Category>& categories) {
  constexpr std::size_t most = 12;
  std::string text = std::to_string(categories.size()) + ":";
  for (std::size_t i = 0; i < categories.size(); ++i) {
    if (categories.size() > most && i == most - 1) {
      text += " ...,";
      i = categories.size() - 1;
    }
    text += " " + categories[i].name + (i + 1 < categories.size() ? "," : "");
  }
  return text;
}

/// How tensors are stored, as "fp32" or "fp16 (160), fp32 (5)".
std::string storage_text(const graph::Safetensors& storage) {
  std::map<std::string, int> counts;
  for (const auto& [name, tensor] : storage.tensors) ++counts[std::string(name_of(tensor.type))];
  if (counts.size() == 1) return counts.begin()->first;
  std::string text;
  for (const auto& [type, count] : counts)
    text += (text.empty() ? "" : ", ") + type + " (" + std::to_string(count) + ")";
  return text;
}

std::string metadata_text(const graph::Safetensors& storage, const char* key) {
  const auto found = storage.metadata.find(key);
  return found == storage.metadata.end() ? "" : found->second;
}

/// Each setting of the head in a line of its own: "score threshold".
void print_settings(const graph::Head& head) {
  struct Printer {
    void real(const char* name, float value, double, double) const { print(name, number_text(value)); }
    void integer(const char* name, int value, int, int) const { print(name, std::to_string(value)); }
    void boolean(const char* name, bool value) const { print(name, value ? "yes" : "no"); }

   private:
    static void print(std::string name, const std::string& value) {
      std::replace(name.begin(), name.end(), '_', ' ');
      print_line(name.c_str(), value);
    }
  };
  graph::visit_settings(head, Printer{});
}

void print_model(const graph::ModelDescription& model, const ModelInfo& info) {
  const graph::Safetensors& storage = *model.storage;
  const graph::Preprocessing& pre = model.preprocessing;
  print_line("model", model.name);
  print_line("head", info.head);
  print_line("classes", classes_text(model.categories));
  print_line("parameters", std::to_string(info.parameters));
  print_line("channel order", pre.rgb ? "RGB" : "BGR");
  print_line("mean", three(pre.mean));
  print_line("deviation", three(pre.std));
  print_line("resize", resize_text(info.input));
  print_line("padded to",
             pre.size_divisibility > 1 ? "multiples of " + std::to_string(pre.size_divisibility) : "nothing");
  print_settings(model.head);
  print_line("file format", metadata_text(storage, "maskrt.format"));
  print_line("file size", megabytes(storage.source->size()));
  print_line("checksum", metadata_text(storage, "maskrt.checksum"));
  print_line("tensors", std::to_string(storage.tensors.size()) + ", " + storage_text(storage));
}

int print_info(const InfoArguments& arguments) {
  check_one_size(arguments.size, arguments.resize);
  const graph::ModelDescription description = graph::read_model(arguments.model);
  ModelOptions options = arguments.device.model_options();
  options.rewrites_off = arguments.rewrites.rewrites_off();
  const Model model = load_model(arguments.model, options);
  const ModelInfo info = model.info();
  print_model(description, info);

  const Size size = network_size(arguments.size, info, arguments.resize);
  Session session(model, arguments.device.session_options());
  const MemoryUse memory = session.memory(arguments.batch, size.height, size.width);
  say("\nto run %d x %s on %s in %s\n", arguments.batch, size_text(size).c_str(), info.device.c_str(),
      info.precision.c_str());
  print_line("prepared weights", megabytes(memory.prepared_weights));
  print_line("arena", megabytes(memory.arena) + ", scratch included");
  print_line("scratch", megabytes(memory.scratch));

  if (arguments.graph) {
    const graph::Graph& graph = model.impl()->network->graph();  // with what the device asked for
    const auto extents = graph::infer_extents(graph, arguments.batch, size.height, size.width);
    const std::size_t element = size_of(stored_in(model.impl()->precision));
    say("\n%s", graph::to_text(graph, extents, element).c_str());
    const Device& device = *model.impl()->device;
    if (!arguments.rewrites.none)
      say("\n%s", graph::rewrites_to_text(description.graph, arguments.batch, size.height, size.width, element,
                                          options.rewrites_off, device.wanted_rewrites(),
                                          device.fused_kernels(model.impl()->precision), description.head)
                      .c_str());
  }
  return kExitOk;
}

}  // namespace

Command add_info(CLI::App& app) {
  CLI::App* command = app.add_subcommand("info", "Shows what a model file holds");
  const auto arguments = std::make_shared<InfoArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->required()->type_name("");
  command->add_flag("--graph", arguments->graph, "List the network's nodes with their shapes, work and bytes");
  add_rewrite_options(*command, arguments->rewrites, "Of the network as it was converted, with nothing fused");
  add_size_option(*command, "--size", arguments->size,
                  "The network's input, rounded up to what the model needs (default:\n"
                  "what the model's settings make of a large picture)");
  add_resize_options(*command, arguments->resize);
  add_batch_option(*command, arguments->batch);
  add_device_options(*command, arguments->device);
  command->footer("Example:\n  maskrt info model.maskrt --graph --size 640x864");
  return [arguments] { return print_info(*arguments); };
}

}  // namespace maskrt::cli
