#include "temporary_files.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace maskrt::graph {
namespace {

/// A list that only grows, by one slot for each file that was ever open beside the others; free slots are null.
struct Slot {
  std::atomic<const char*> path;
  Slot* next;
};

std::atomic<Slot*> slots = nullptr;
std::atomic<bool> ending = false;

std::atomic<const char*>* list(const char* path) {
  for (Slot* slot = slots.load(); slot != nullptr; slot = slot->next) {
    const char* free = nullptr;
    if (slot->path.compare_exchange_strong(free, path)) return &slot->path;
  }
  auto* const slot = new Slot{path, slots.load()};
  while (!slots.compare_exchange_weak(slot->next, slot)) {
  }
  return &slot->path;
}

}  // namespace

TemporaryName::TemporaryName(const std::string& path) {
  char* const copy = ::strdup(path.c_str());
  if (copy == nullptr) throw std::bad_alloc();
  path_ = copy;
  slot_ = list(path_);
}

TemporaryName::~TemporaryName() {
  slot_->store(nullptr);
  // A handler in another thread may be reading the name: it says so before it looks.
  if (!ending.load()) std::free(const_cast<char*>(path_));
}

void remove_temporary_files() noexcept {
  ending.store(true);
  for (const Slot* slot = slots.load(); slot != nullptr; slot = slot->next) {
    if (const char* path = slot->path.load()) ::unlink(path);
  }
}

void end_by_signal(int signal) noexcept {
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // waits until the handler returns, for the signal is blocked in it
}

void on_end_signals(void (*handler)(int)) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = handler;
    ::sigaction(signal, &action, nullptr);
  }
}

void expect_write_errors() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // Opened to be read, so that writing fails as it does for a closed one.
  for (int descriptor = 0; descriptor <= STDERR_FILENO;) {
    descriptor = ::open("/dev/null", O_RDONLY);
    if (descriptor < 0) break;
    if (descriptor > STDERR_FILENO) ::close(descriptor);
  }
}

int flush_standard_output() {
  if (std::fflush(stdout) != 0) return errno;
  if (std::ferror(stdout) == 0) return 0;
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0 ? EPIPE : EIO;
}

}  // namespace maskrt::graph
