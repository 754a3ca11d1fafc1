// `maskrt run` over many pictures at a time: results do not depend on how many, memory is bounded, and a terminal shows
// how far it is.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "runtime/coco/image_lines.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

Words command_line(const Words& arguments) {
  ::setenv("MASKRT_CPU_TUNE", "0", 1);  // the same algorithms in each process
  return demo_command("run", Words{"--deterministic"} + arguments);
}

/// Pictures of 200x150 to 1920x1080 in turn, two of which cannot be used.
class Pictures {
 public:
  Pictures() {
    for (int i = 0; i < 9; ++i) {
      const std::string name = "p" + std::to_string(i) + ".jpg";
      if (i % 2 == 0)
        fs::copy(demo + "/showcase/" + std::to_string(i / 2 % 4) + ".jpg", folder / name);
      else
        fs::copy(demo + "/images/00" + std::to_string(i) + ".jpg", folder / name);
    }
    write_text(folder / "p3.jpg", "no picture");
    write_text(folder / "p7.jpg", "none either");
  }
  TemporaryFolder folder;
};

struct Results {
  std::string list, lines, err;
  std::vector<std::string> names() const {
    TemporaryFolder out;
    std::vector<std::string> found;
    for (const coco::ImageLine& line : coco::read_image_lines(write_text(out / "lines", lines)).lines)
      found.push_back(line.file_name);
    return found;
  }
};

Results results_of(const Pictures& pictures, const Words& more) {
  const TemporaryFolder out;
  const ProcessResult ran = run_process(command_line(
      Words{pictures.folder.path(), "--json", out / "r.json", "--jsonl", out / "r.jsonl", "--quiet"} + more));
  return {read_text(out / "r.json"), read_text(out / "r.jsonl"), ran.err};
}

/// The lines that a terminal shows after `text`, which may go back to a line's start and clear its rest.
Words shown(const std::string& text) {
  Words lines(1);
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& line = lines.back();
    if (text.compare(i, 3, "\033[K") == 0) {
      line.resize(std::min(line.size(), column));
      i += 2;
    } else if (text[i] == '\r') {
      column = 0;
    } else if (text[i] == '\n') {
      lines.emplace_back();
      column = 0;
    } else {
      line.resize(std::max(line.size(), column + 1), ' ');
      line[column++] = text[i];
    }
  }
  return lines;
}

/// What a terminal of `columns` columns gets from a command; `redirection` of the shell comes after its name.
std::string on_terminal(const Words& command, unsigned short columns, const std::string& redirection) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(terminal >= 0);
  REQUIRE(::grantpt(terminal) == 0);
  REQUIRE(::unlockpt(terminal) == 0);
  const std::string name = ::ptsname(terminal);
  const int other_end = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(other_end >= 0);
  winsize size = {};
  size.ws_col = columns;
  REQUIRE(::ioctl(other_end, TIOCSWINSZ, &size) == 0);
  auto text = std::async(std::launch::async, [terminal] {
    std::string got;
    for (char buffer[4096];;) {
      const ssize_t count = ::read(terminal, buffer, sizeof buffer);
      if (count <= 0) return got;  // nobody has the other end any more
      got.append(buffer, static_cast<std::size_t>(count));
    }
  });
  const ProcessResult ran = run_process(Words{"/bin/sh", "-c", "exec \"$@\" " + redirection, name} + command);
  ::close(other_end);
  const std::string got = text.get();
  ::close(terminal);
  CHECK(ran.status == 0);
  return got;
}

}  // namespace

TEST_CASE("run: results do not depend on how many pictures are under way") {
  const Pictures pictures;
  const std::string batch = GENERATE("1", "4");
  const Results alone = results_of(pictures, {"--threads", "1", "--batch", batch});
  const std::size_t first = alone.err.find("p3.jpg"), second = alone.err.find("p7.jpg");
  REQUIRE(first != std::string::npos);
  REQUIRE(second != std::string::npos);
  CHECK(first < second);
  CHECK(alone.names() == Words{"p0.jpg", "p1.jpg", "p2.jpg", "p4.jpg", "p5.jpg", "p6.jpg", "p8.jpg"});
  for (const char* threads : {"2", "3", "3"}) {
    INFO("threads " << threads << ", batch " << batch);
    const Results several = results_of(pictures, {"--threads", threads, "--batch", batch});
    // A session of one thread for each: there is nothing that may differ.
    if (batch == "1") {
      CHECK(several.list == alone.list);
      CHECK(several.lines == alone.lines);
    }
    CHECK(several.names() == alone.names());
    CHECK(several.err == alone.err);
  }
  const Results crowd = results_of(pictures, {"--threads", "64", "--batch", batch});
  CHECK(crowd.names() == alone.names());
  CHECK(crowd.err == alone.err);
}

TEST_CASE("run: the first picture that fails ends a fail-fast run, however many later ones are done") {
  const Pictures pictures;
  for (const char* threads : {"1", "2", "16"}) {
    INFO(threads << " threads");
    const Results stopped = results_of(pictures, {"--threads", threads, "--fail-fast"});
    CHECK(stopped.names() == Words{"p0.jpg", "p1.jpg", "p2.jpg"});
    CHECK_THAT(stopped.err, Contains("stopped after 3 of 9 images") && Contains("p3.jpg") && !Contains("p7.jpg"));
  }
}

TEST_CASE("run: a folder of large pictures takes the memory of a few") {
  const TemporaryFolder folder;
  constexpr int width = 3000, height = 2000, pictures = 24;
  constexpr std::size_t bytes = std::size_t{3} * width * height;  // 18 MB
  write_text(folder / "picture", "P6 3000 2000 255\n" + std::string(bytes, 'x'));
  fs::create_directory(folder / "many");
  for (int i = 0; i < pictures; ++i)
    fs::create_symlink("../picture", folder / ("many/" + std::to_string(100 + i) + ".ppm"));
  const auto peak = [&](const std::string& inputs) {
    const ProcessResult ran = run_process(command_line({inputs, "--threads", "2", "--json", folder / "r.json"}));
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
    return ran.peak_memory;
  };
  const std::size_t one = peak(folder / "many/100.ppm"), many = peak(folder / "many");
  INFO("one " << one << ", many " << many);
  // Two threads have a picture each in work, and a third is decoded ahead: nine more than one alone leave room for the
  // second session and for what the heap keeps.
  CHECK(many < one + 10 * bytes);
}

TEST_CASE("run: a terminal shows a bar below the lines, and nothing of it is left") {
  const TemporaryFolder folder;
  for (const char* name : {"000.jpg", "001.jpg", "002.jpg"}) fs::copy(demo + "/images/" + name, folder / name);
  const Words command = command_line({folder.path(), "--threads", "2"});
  const ProcessResult plain = run_process(command);
  REQUIRE(plain.status == 0);
  CHECK(plain.err.empty());

  const std::string text = on_terminal(command, 40, "> \"$0\" 2>&1");
  CHECK_THAT(text, Contains("\r\033[K") && Contains(" of 3 images"));
  Words lines = shown(text), expected = shown(plain.out);
  REQUIRE(lines.size() == 5);
  REQUIRE(expected.size() == 5);
  for (const std::size_t line : {0, 1, 2, 4}) CHECK(lines[line] == expected[line]);
  CHECK_THAT(lines[3], Catch::StartsWith("3 images, "));
  // No bar is wider than the terminal, or clearing it would leave a line behind.
  for (std::size_t at = text.find("\033[K"); at != std::string::npos; at = text.find("\033[K", at + 1)) {
    const std::size_t end = text.find_first_of("\r\n", at);
    if (text[std::min(end, text.size() - 1)] == '\r' && text[end + 1] != '\n') CHECK(end - (at + 3) < 40);
  }

  const Words to_file = shown(on_terminal(command, 80, "2> \"$0\" > /dev/null"));
  CHECK(to_file == Words{""});
  CHECK(on_terminal(command + Words{"--quiet"}, 80, "> \"$0\" 2>&1").empty());
  CHECK_THAT(on_terminal(command, 80, "> \"$0\" 2> /dev/null"), !Contains("\033[K"));
}
