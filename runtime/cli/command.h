// Shared by the commands of `maskrt`.
#pragma once

#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>

namespace CLI {
class App;
}

namespace maskrt::cli {

/// Arguments that are each well-formed but make no sense together: ends the program with exit_usage.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A signal's number is added to 128, as shells do for commands that one ended.
inline constexpr int kExitOk = 0, kExitBadInput = 1, kExitUsage = 2, kExitClosedPipe = 128 + SIGPIPE;

/// Runs a command whose arguments are parsed; returns the exit status. Throws maskrt::Error and UsageError.
using Command = std::function<int()>;

// Each adds one subcommand with its options and its help to `app`, one file each.
Command add_run(CLI::App& app);
Command add_eval(CLI::App& app);
Command add_dump(CLI::App& app);
Command add_bench(CLI::App& app);
Command add_tune(CLI::App& app);
Command add_info(CLI::App& app);

}  // namespace maskrt::cli
