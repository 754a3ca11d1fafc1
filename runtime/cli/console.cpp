#include "console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "graph/temporary_files.h"
#include "maskrt/types.hpp"

namespace maskrt::cli {
namespace {

bool results_on_standard_output = false, errors_alone = false;

std::string status;  // the terminal's status line; "": none
bool status_is_shown = false;

void hide_status() {
  if (!status_is_shown) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  status_is_shown = false;
}

void draw_status() {
  if (status.empty()) return;
  std::fprintf(stderr, "\r\033[K%s", status.c_str());
  std::fflush(stderr);
  status_is_shown = true;
}

void print_error_line(const std::string& line) {
  hide_status();
  std::fprintf(stderr, "%s\n", line.c_str());
  draw_status();
}

[[noreturn]] void fail() {
  if (errno == EPIPE) throw ClosedPipe();
  throw Error("cannot write to the standard output: " + std::string(std::strerror(errno)));
}

}  // namespace

void say(const char* format, ...) {
  if (errors_alone) return;
  std::FILE* const stream = results_on_standard_output ? stderr : stdout;
  const bool ends_line = std::string_view(format).ends_with('\n');
  hide_status();
  std::va_list arguments;
  va_start(arguments, format);
  bool written = std::vfprintf(stream, format, arguments) >= 0;
  va_end(arguments);
  if (ends_line) {
    written = std::fflush(stream) == 0 && written;
    draw_status();
  }
  if (!written && !results_on_standard_output) fail();
}

void flush_output() {
  errno = graph::flush_standard_output();
  if (errno != 0) fail();
}

void leave_standard_output_to_results() { results_on_standard_output = true; }

void note(const std::string& line) {
  if (!errors_alone) print_error_line(line);
}

void print_errors_alone() { errors_alone = true; }

void show_status(const std::string& line) {
  if (line.empty()) hide_status();
  status = line;
  draw_status();
}

int terminal_columns() {
  winsize size = {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void report(const std::string& sentence) { print_error_line("maskrt: " + sentence); }

}  // namespace maskrt::cli
