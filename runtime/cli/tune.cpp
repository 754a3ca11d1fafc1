// `maskrt tune`: measures which algorithm each convolution should take on this machine's GPU or processor.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "command.h"
#include "graph/file_roles.h"
#include "interrupt.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "outputs.h"
#include "progress.h"

namespace maskrt::cli {
namespace {

struct TuneArguments {
  std::string model, output;
  std::optional<Size> size;
  ResizeOptions resize;
  int batch = 1;
  DeviceOptions device;
};

int tune(const TuneArguments& arguments) {
  check_one_size(arguments.size, arguments.resize);
  // The file that --tuning names may be the output, too: what it holds is kept.
  graph::FileRoles roles;
  roles.input(arguments.model);
  roles.output(arguments.output);
  roles.check();
  const Model model = load_model(arguments.model, arguments.device.model_options());
  const Size size = network_size(arguments.size, model.info(), arguments.resize);
  Session session(model, arguments.device.session_options());
  std::optional<Progress> bar;
  const std::string choices =
      session.tune(arguments.batch, size.height, size.width, [&](std::size_t done, std::size_t all) {
        check_interrupt();
        if (!bar) bar.emplace("convolutions", all);
        bar->update(done);
      });
  bar.reset();
  const std::string text = "# Algorithms of maskrt " + std::string(version()) + ", written by maskrt tune.\n" + choices;
  if (arguments.output.empty())
    std::fputs(text.c_str(), stdout);
  else
    write_text_file(arguments.output, text.substr(0, text.size() - 1));
  return kExitOk;
}

}  // namespace

Command add_tune(CLI::App& app) {
  CLI::App* command = app.add_subcommand("tune", "Measures which algorithms are the fastest on a GPU or processor");
  const auto arguments = std::make_shared<TuneArguments>();
  command->add_option("MODEL", arguments->model, "A model file made by maskrt-convert")->required()->type_name("");
  add_size_option(*command, "--size", arguments->size,
                  "The network's input, rounded up to what the model needs (default:\n"
                  "what the model's settings make of a large picture)");
  add_resize_options(*command, arguments->resize);
  add_batch_option(*command, arguments->batch);
  add_output_option(*command, "-o,--output", arguments->output, "The file to write (default: standard output)");
  add_device_options(*command, arguments->device);
  command->footer(
      "One file may hold choices for many shapes, GPUs and processors: what --tuning names is kept, but for what is "
      "measured anew. On the CPU choices are for one number of threads. Let no other program run meanwhile.\n\n"
      "Example:\n  maskrt tune model.maskrt --size 640x864 -o h200.txt\n"
      "  maskrt tune model.maskrt --size 640x864 --batch 8 --tuning h200.txt -o h200.txt\n"
      "  maskrt tune model.maskrt --device cpu --threads 2 --tuning h200.txt -o h200.txt\n"
      "  maskrt run model.maskrt street.jpg --tuning h200.txt");
  return [arguments] { return tune(*arguments); };
}

}  // namespace maskrt::cli
