// The temporary files that this process has made and not yet renamed, so that a signal's handler can remove them.
#pragma once

#include <atomic>
#include <string>

namespace maskrt::graph {

/// Lists one temporary file while it lives. Any thread may make and destroy these.
class TemporaryName {
 public:
  explicit TemporaryName(const std::string& path);
  /// The file itself stays; who made it removes or renames it.
  ~TemporaryName();
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;

  const char* path() const { return path_; }

 private:
  std::atomic<const char*>* slot_;
  const char* path_;
};

/// Removes every file that is listed. For a process that is about to end: nothing is renamed to its name any more that
/// was not yet. Safe in a signal's handler.
void remove_temporary_files() noexcept;

/// Removes them, then ends the process as `signal` does where nobody handles it. Safe in that signal's handler; the
/// process ends when the handler returns.
void end_by_signal(int signal) noexcept;

/// Calls `handler` for the signals that ask a process to end: SIGINT, SIGTERM and SIGHUP, but for those that whoever
/// started the process has it ignore (nohup, a shell's background jobs). By default they remove temporary files and end
/// the process.
void on_end_signals(void (*handler)(int) = end_by_signal);

/// For programs, the first thing in main(): a file that reached its limit and a pipe whose reader has gone are errors
/// of the write instead of signals that end the process; and where the process was started with a closed standard
/// stream, no file that it opens gets that stream's number, so that nothing printed ends up in it.
void expect_write_errors();

/// Flushes what was printed to the standard output; 0, or the errno of what failed of all that was printed until now.
/// What failed earlier, in printing more than the stream holds back, has left none: EPIPE where nobody reads it, else
/// EIO.
int flush_standard_output();

}  // namespace maskrt::graph
