// `maskrt`: runs models on images, scores them, and shows what is inside.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "command.h"
#include "console.h"
#include "graph/atomic_file.h"
#include "graph/bracketed_words.h"
#include "graph/misspelled_words.h"
#include "graph/temporary_files.h"
#include "interrupt.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

namespace {

/// CLI11's messages may span lines; an error here is one sentence.
std::string on_one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

/// `maskrt` where no subcommand was recognised, else "maskrt run".
std::string command_name(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? "maskrt" : "maskrt " + commands.front()->get_name();
}

int run_command_line(int argc, char** argv) {
  CLI::App app("maskrt: instance segmentation on images, from a converted detectron2 checkpoint.", "maskrt");
  const std::string version_text = std::string("maskrt ") + version();
  app.set_version_flag("--version", version_text);
  app.require_subcommand(0, 1);
  app.footer(
      "Exit status: 0 when all went well, 1 for bad input or a full disk, 2 for wrong usage, 128 and a signal's "
      "number\n"
      "when one stopped it (141: the standard output was closed). FILE may be - for the standard output.\n\n"
      "Example:\n  maskrt run model.maskrt street.jpg --overlay out");
  const std::array<std::pair<const char*, Command>, 6> commands = {{{"run", add_run(app)},
                                                                    {"eval", add_eval(app)},
                                                                    {"dump", add_dump(app)},
                                                                    {"bench", add_bench(app)},
                                                                    {"tune", add_tune(app)},
                                                                    {"info", add_info(app)}}};
  for (CLI::App* command : app.get_subcommands(nullptr)) command->set_version_flag("--version", version_text);

  try {
    parse_whole_words(app, argc, argv);
    for (const auto& [name, command] : commands)
      if (app.got_subcommand(name)) return command();
    throw UsageError("expected a command: run, eval, dump, bench, tune or info");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);  // help, version
    const std::string meant = misspelled(app);
    report((meant.empty() ? on_one_line(error.what()) : meant) + " (see '" + command_name(app) + " --help')");
    return kExitUsage;
  } catch (const UsageError& error) {
    report(std::string(error.what()) + " (see '" + command_name(app) + " --help')");
    return kExitUsage;
  }
}

}  // namespace
}  // namespace maskrt::cli

int main(int argc, char** argv) {
  using namespace maskrt::cli;
  try {
    maskrt::graph::expect_write_errors();
    watch_interrupts();
    const int status = run_command_line(argc, argv);
    flush_output();
    return status;
  } catch (const Interrupted& interrupted) {
    return 128 + interrupted.signal();
  } catch (const ClosedPipe&) {
    return kExitClosedPipe;
  } catch (const maskrt::graph::WriteError& error) {
    if (error.reason() == EINTR && interrupt_signal() != 0) return 128 + interrupt_signal();
    report(error.what());
    if (error.reason() == EPIPE) return kExitClosedPipe;
  } catch (const std::bad_alloc&) {
    report("there is not enough memory for this");
  } catch (const std::exception& error) {
    report(error.what());
  }
  return kExitBadInput;
}
