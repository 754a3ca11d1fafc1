// CLI11 takes a word such as "[1,2]" for a list and splits it, where an option or the positional words may be several.
// Here such a word is one: a Python list in a config override, or the name of a file.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <string>
#include <vector>

namespace maskrt {

/// Parses a command line like app.parse(argc, argv), with every word as it was given. Options and subcommands must have
/// been added before.
inline void parse_whole_words(CLI::App& app, int argc, char** argv) {
  // A mark at the end makes a word no list for CLI11, and every option takes it off again before it looks at its words.
  constexpr char kMark = '\x7f';
  const auto is_bracketed = [](std::string word) {
    while (!word.empty() && word.back() == kMark) word.pop_back();
    return word.size() > 1 && word.front() == '[' && word.back() == ']';
  };
  const CLI::Validator take_mark_off(
      [is_bracketed](std::string& word) {
        if (is_bracketed(word) && word.back() == kMark) word.pop_back();
        return std::string();
      },
      "");
  const auto prepare = [&take_mark_off](auto& self, CLI::App& command) -> void {
    for (CLI::Option* option : command.get_options({})) option->transform(take_mark_off);
    for (CLI::App* inner : command.get_subcommands({})) self(self, *inner);
  };
  prepare(prepare, app);

  std::vector<std::string> words;  // the last comes first
  for (int i = argc - 1; i > 0; --i) {
    words.emplace_back(argv[i]);
    if (is_bracketed(words.back())) words.back() += kMark;
  }
  app.parse(std::move(words));
}

}  // namespace maskrt
