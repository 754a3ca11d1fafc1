#include "console.h"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "maskrt/types.hpp"

namespace maskrt::cli {
namespace {

bool results_on_standard_output = false, errors_alone = false;

[[noreturn]] void fail() {
  if (errno == EPIPE) throw ClosedPipe();
  throw Error("cannot write to the standard output: " + std::string(std::strerror(errno)));
}

}  // namespace

void say(const char* format, ...) {
  if (errors_alone) return;
  std::FILE* const stream = results_on_standard_output ? stderr : stdout;
  std::va_list arguments;
  va_start(arguments, format);
  bool written = std::vfprintf(stream, format, arguments) >= 0;
  va_end(arguments);
  if (std::string_view(format).ends_with('\n')) written = std::fflush(stream) == 0 && written;
  if (!written && !results_on_standard_output) fail();
}

void flush_output() {
  if (std::fflush(stdout) != 0) fail();
}

void leave_standard_output_to_results() { results_on_standard_output = true; }

void note(const std::string& line) {
  if (!errors_alone) std::fprintf(stderr, "%s\n", line.c_str());
}

void print_errors_alone() { errors_alone = true; }

void report(const std::string& sentence) { std::fprintf(stderr, "maskrt: %s\n", sentence.c_str()); }

}  // namespace maskrt::cli
