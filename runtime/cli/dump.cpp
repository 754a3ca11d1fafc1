// `maskrt dump`: the network's tensors, for comparing with other implementations.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "command.h"
#include "console.h"
#include "graph/file_roles.h"
#include "graph/safetensors.h"
#include "inputs.h"
#include "interrupt.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "outputs.h"
#include "positions_file.h"

namespace maskrt::cli {
namespace {

struct DumpArguments {
  std::string model;
  std::vector<std::string> images;
  std::string output, query_positions;
  bool all = false;
  DecodeOptions decode;
  ResizeOptions resize;
  DeviceOptions device;
  RewriteOptions rewrites;
};

int dump(const DumpArguments& arguments) {
  std::vector<std::string> passed_over;
  const std::vector<Input> inputs = expand_inputs(arguments.images, &passed_over);
  for (const std::string& sentence : passed_over) note(sentence);
  graph::FileRoles roles;
  add_inputs(roles, arguments.model, arguments.device);
  for (const Input& input : inputs) roles.input(input.path);
  roles.input(arguments.query_positions);
  roles.output(arguments.output);
  roles.check();

  std::optional<QueryPositions> positions;
  if (!arguments.query_positions.empty()) positions = read_query_positions(arguments.query_positions);

  std::vector<Image> images;
  for (const Input& input : inputs) images.push_back(Image::from_file(input.path.string(), arguments.decode));

  ModelOptions options = arguments.device.model_options();
  if (arguments.all) options.keep = {"all"};
  options.rewrites_off = arguments.rewrites.rewrites_off();
  const Model model = load_model(arguments.model, options);
  note_bounded_resize(model.info(), arguments.resize);
  Session session(model, arguments.device.session_options());
  check_interrupt();
  const std::map<std::string, HostTensor> tensors =
      positions ? session.tensors(images, arguments.resize, *positions) : session.tensors(images, arguments.resize);
  check_interrupt();

  std::vector<graph::TensorToWrite> to_write;
  for (const auto& [name, tensor] : tensors)
    to_write.push_back({name, DataType::f32, tensor.shape, std::as_bytes(std::span(tensor.values))});
  make_folder_of(arguments.output);
  graph::write_safetensors(arguments.output, to_write, {});
  for (const auto& [name, tensor] : tensors) say("%-24s %s\n", name.c_str(), to_string(tensor.shape).c_str());
  return kExitOk;
}

}  // namespace

Command add_dump(CLI::App& app) {
  CLI::App* command = app.add_subcommand("dump", "Writes the network's input and outputs as tensors");
  const auto arguments = std::make_shared<DumpArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->required()->type_name("");
  command->add_option("IMAGE", arguments->images, "Images, which run as one batch")->required()->type_name("");
  add_output_option(*command, "-o,--output", arguments->output, "The file to write, safetensors")->required();
  command->add_flag("--all", arguments->all, "Write every value inside the network that has a name, too");
  command
      ->add_option("--query-positions", arguments->query_positions,
                   "FastInst: take queries at the positions that this file's tensor\n"
                   "query_positions has, not at those that the network finds best:\n"
                   "safetensors, of dump or of another implementation")
      ->type_name("FILE");
  add_rewrite_options(*command, arguments->rewrites, "Run the network as it was converted, with nothing fused");
  add_decode_options(*command, arguments->decode);
  add_resize_options(*command, arguments->resize);
  add_device_options(*command, arguments->device);
  command->footer(
      "Tensors are fp32 in NCHW order; lists of vectors are [batch, number, channels].\n\n"
      "Examples:\n"
      "  maskrt dump model.maskrt street.jpg -o tensors.safetensors --all\n"
      "  maskrt dump model.maskrt street.jpg -o fp16.safetensors --precision fp16 --query-positions "
      "tensors.safetensors");
  return [arguments] { return dump(*arguments); };
}

}  // namespace maskrt::cli
