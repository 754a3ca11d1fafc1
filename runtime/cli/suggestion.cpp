#include "suggestion.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <vector>

#include "graph/nearest_name.h"

namespace maskrt::cli {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// "--json" and "-o", with their dashes.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

/// "run, eval and info"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return text;
}

}  // namespace

std::string misspelled(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  const std::vector<std::string> words = app.remaining(true);
  const auto is_option = [](const std::string& word) { return word.size() > 1 && word.front() == '-'; };
  const auto option = std::find_if(words.begin(), words.end(), is_option);
  if (parsed.empty() && !words.empty() && option != words.begin()) {
    const std::vector<std::string> names = command_names(app);
    const std::string nearest = nearest_name(words.front(), names);
    return "expected a command, found '" + words.front() +
           (nearest.empty() ? "': there are " + listed(names) : "': did you mean " + nearest + "?");
  }
  if (option == words.end()) return "";
  const std::string word = option->substr(0, option->find('='));
  constexpr std::size_t shortest = 4;  // of "-q" every other letter is as near
  const std::string nearest = word.size() < shortest ? "" : nearest_name(word, option_names(command));
  return "expected an option of maskrt" + (parsed.empty() ? "" : " " + command.get_name()) + ", found '" + word + "'" +
         (nearest.empty() ? "" : ": did you mean " + nearest + "?");
}

}  // namespace maskrt::cli
