// A program under test while it runs: lines that it prints, signals that it gets, the end of the pipe that it writes
// to.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace maskrt::testing {

class RunningProcess {
 public:
  /// Starts `arguments[0]` without input; standard output and stderr are pipes to this process. `reader_gone`: nobody
  /// reads the standard output from the start.
  explicit RunningProcess(const std::vector<std::string>& arguments, bool reader_gone = false) {
    int out_pipe[2], err_pipe[2];
    if (::pipe2(out_pipe, O_CLOEXEC) != 0 || ::pipe2(err_pipe, O_CLOEXEC) != 0)
      throw std::runtime_error("cannot make a pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out_pipe[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_pipe[1], STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    // Whatever the tests themselves were started to ignore: what the program does about signals is its own doing.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) sigaddset(&signals, number);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    out_ = out_pipe[0];
    err_ = err_pipe[0];
    if (reader_gone) close_output();
    const int spawned = ::posix_spawn(&child_, argv[0], &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    ::close(out_pipe[1]);
    ::close(err_pipe[1]);
    if (spawned != 0) throw std::runtime_error("cannot run " + arguments[0]);
  }
  ~RunningProcess() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    close_output();
    ::close(err_);
  }
  RunningProcess(const RunningProcess&) = delete;
  RunningProcess& operator=(const RunningProcess&) = delete;

  /// Waits for a line on the standard output; what there is at its end.
  std::string read_line() {
    std::string line;
    for (char c = 0; c != '\n' && ::read(out_, &c, 1) == 1;) line += c;
    return line;
  }

  void signal(int number) { ::kill(child_, number); }
  void close_output() {
    if (out_ >= 0) ::close(out_);
    out_ = -1;
  }

  /// True once it has ended.
  bool ended() {
    if (child_ > 0 && ::waitpid(child_, &status_, WNOHANG) == child_) child_ = 0;
    return child_ == 0;
  }

  /// Waits for its end; the exit status, or 128 and the signal that ended it. Takes what it wrote to stderr.
  int wait() {
    for (char buffer[4096];;) {
      const ssize_t count = ::read(err_, buffer, sizeof buffer);
      if (count <= 0) break;
      err.append(buffer, static_cast<std::size_t>(count));
    }
    if (child_ > 0) ::waitpid(child_, &status_, 0);
    child_ = 0;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

  std::string err;

 private:
  pid_t child_ = 0;
  int out_ = -1, err_ = -1, status_ = 0;
};

/// A named pipe, at which a program that reads it waits until the test lets it go on.
inline std::filesystem::path make_fifo(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("cannot make the FIFO " + path.string());
  return path;
}

/// Lets go whoever waits for a writer at a FIFO, with nothing to be read, until `process` has ended.
inline void release(const std::filesystem::path& fifo, RunningProcess& process) {
  while (!process.ended()) {
    const int writer = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (writer >= 0) ::close(writer);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace maskrt::testing
