// What somebody may have meant by a command or an option that there is none of.
#pragma once

#include <CLI/App.hpp>
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "nearest_name.h"

namespace maskrt {

namespace misspelled_words {

inline std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// "--json" and "-o", with their dashes.
inline std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

/// "run, eval and info"
inline std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return text;
}

}  // namespace misspelled_words

/// "expected a command, found 'rnu': did you mean run?", or the same of an option, of the first word that `app` could
/// not place when it parsed; "" where there was none.
inline std::string misspelled(const CLI::App& app) {
  namespace words_of = misspelled_words;
  const auto parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  std::vector<std::string> words = app.remaining(true);
  words.erase(std::find(words.begin(), words.end(), "--"), words.end());  // what follows is no option
  const auto is_option = [](const std::string& word) { return word.size() > 1 && word.front() == '-'; };
  const auto option = std::find_if(words.begin(), words.end(), is_option);
  const std::vector<std::string> names = words_of::command_names(app);
  if (!names.empty() && parsed.empty() && !words.empty() && option != words.begin()) {
    const std::string nearest = nearest_name(words.front(), names);
    return "expected a command, found '" + words.front() +
           (nearest.empty() ? "': there are " + words_of::listed(names) : "': did you mean " + nearest + "?");
  }
  if (option == words.end()) return "";
  const std::string word = option->substr(0, option->find('='));
  constexpr std::size_t kShortest = 4;  // of "-q" every other letter is as near
  const std::string nearest = word.size() < kShortest ? "" : nearest_name(word, words_of::option_names(command));
  return "expected an option of " + app.get_name() + (parsed.empty() ? "" : " " + command.get_name()) + ", found '" +
         word + "'" + (nearest.empty() ? "" : ": did you mean " + nearest + "?");
}

}  // namespace maskrt
