// Four of the demo's pictures, runs over them that are stopped, and what a run that nothing stops writes.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <utility>

#include "runtime/coco/results.h"
#include "support/demo_command.h"

namespace maskrt::testing {

/// The same results to the last bit in every process, and no time spent on measuring: algorithms are chosen by rule.
inline Words command_line(const std::string& command, const Words& arguments) {
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  return demo_command(command, arguments);
}

inline ProcessResult ruled_command(const std::string& command, const Words& arguments) {
  return run_process(command_line(command, arguments));
}

inline std::set<std::string> images_of(const std::filesystem::path& results) {
  std::set<std::string> names;
  for (const auto& result : coco::read_results(results)) names.insert(result.file_name);
  return names;
}

inline std::string first_lines(const std::string& text, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0; --count) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

/// Results without the paths of drawings.
inline std::string undrawn(const std::string& text) {
  return std::regex_replace(text, std::regex(R"re(, "overlay": "[^"]*")re"), "");
}

/// Four pictures in a folder of their own, and what a run over them that nothing stops writes.
class Pictures {
 public:
  Pictures() {
    for (const char* name : {"000.jpg", "001.jpg", "002.jpg", "003.jpg"}) {
      std::filesystem::copy(demo + "/images/" + name, folder / name);
      paths.push_back(folder / name);
    }
  }
  static const Pictures& whole() {
    static const Pictures pictures;
    return pictures;
  }
  /// The files' texts, made once.
  const std::string& list() const { return written().first; }
  const std::string& lines() const { return written().second; }

  TemporaryFolder folder;
  Words paths;

 private:
  std::pair<std::string, std::string> write() const {
    const TemporaryFolder out;
    const ProcessResult ran = ruled_command("run", paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl"});
    REQUIRE(ran.status == 0);
    CHECK(ran.err.empty());
    return {read_text(out / "r.json"), read_text(out / "r.jsonl")};
  }
  const std::pair<std::string, std::string>& written() const {
    static const auto texts = whole().write();
    return texts;
  }
};

/// A resumed run has the results of one that nothing stopped.
inline void check_resumed(const Words& paths, const std::filesystem::path& out, const Words& more = {}) {
  const ProcessResult resumed =
      ruled_command("run", paths + Words{"--json", out / "r.json", "--jsonl", out / "r.jsonl", "--resume"} + more);
  INFO(resumed.err);
  CHECK(resumed.status == 0);
  CHECK_THAT(resumed.out, Catch::Contains("done before"));
  CHECK(undrawn(read_text(out / "r.json")) == Pictures::whole().list());
  CHECK(undrawn(read_text(out / "r.jsonl")) == Pictures::whole().lines());
}

}  // namespace maskrt::testing
