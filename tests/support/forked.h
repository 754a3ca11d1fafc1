// Work in a child of fork.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::testing {

/// How a child ended: what its work gave, "Error: ..." where that threw one, "signal N" where a signal ended it.
/// SIGALRM (14) stands for a child that hung.
class Forked {
 public:
  /// `work` gives a std::string. The child has `seconds` for it.
  template <typename Work>
  explicit Forked(const Work& work, unsigned seconds = 60) {
    std::array<int, 2> ends;
    if (::pipe(ends.data()) != 0) throw std::runtime_error("cannot make a pipe");
    std::fflush(nullptr);  // or the child writes it again
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("cannot fork");
    if (child_ == 0) {
      ::close(ends[0]);
      ::alarm(seconds);
      std::string told;
      try {
        told = work();
      } catch (const Error& error) {
        told = std::string("Error: ") + error.what();
      } catch (const std::exception& error) {
        told = std::string("another exception: ") + error.what();
      }
      if (::write(ends[1], told.data(), told.size()) != static_cast<ssize_t>(told.size())) ::_exit(1);
      ::_exit(0);
    }
    ::close(ends[1]);
    end_ = ends[0];
  }
  ~Forked() {
    if (child_ > 0) wait();
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  std::string wait() {
    std::string told;
    std::array<char, 4096> part;
    for (ssize_t count; (count = ::read(end_, part.data(), part.size())) > 0;)
      told.append(part.data(), static_cast<std::size_t>(count));
    ::close(end_);
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = 0;
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return told;
  }

 private:
  pid_t child_ = 0;
  int end_ = -1;
};

}  // namespace maskrt::testing
