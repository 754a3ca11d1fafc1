// What commands say to people: lines of figures on the standard output, errors on stderr.
#pragma once

#include <exception>
#include <string>

namespace maskrt::cli {

/// Thrown where the reader of standard output has closed the pipe, as `head` does. main() turns it into
/// exit_closed_pipe.
class ClosedPipe : public std::exception {
 public:
  const char* what() const noexcept override { return "the standard output is closed"; }
};

/// printf() for people; prints nothing under --quiet. The line is flushed when the call returns, also to a pipe. Throws
/// ClosedPipe, and Error when the line cannot be written for another reason.
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// Flushes what was printed by other means. Throws as say() does.
void flush_output();

/// From here on the standard output is a file of results ("-"), and say() writes to stderr.
void leave_standard_output_to_results();

/// A line on stderr of what is no error but good to know; nothing under --quiet.
void note(const std::string& line);

/// --quiet: from here on only errors are printed.
void print_errors_alone();

/// A line at the end of what stderr's terminal shows: it gives way to what say() and report() print and is drawn below
/// that again. "" removes it. To be called by one thread at a time, like everything that prints here.
void show_status(const std::string& line);

/// How wide stderr's terminal is; 80 where it does not tell.
int terminal_columns();

/// "maskrt: " and the sentence, on a line of its own, to stderr.
void report(const std::string& sentence);

}  // namespace maskrt::cli
