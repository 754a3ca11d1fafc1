#include "include_checker.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>

namespace maskrt::testing {
namespace {

namespace fs = std::filesystem;

bool matches(std::string_view pattern, std::string_view path) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == path;
  if (!path.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t i = star; i <= path.size(); ++i)
    if (matches(rest, path.substr(i))) return true;
  return false;
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return matches(p, path); });
}

bool is_source(const fs::path& path) {
  static const std::set<std::string> endings = {".h", ".hpp", ".cpp", ".inc", ".cu", ".cuh"};
  return endings.contains(path.extension().string());
}

std::vector<std::string> sources_below(const fs::path& root, const std::vector<std::string>& skipped) {
  std::vector<std::string> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    const std::string path = fs::relative(it->path(), root).generic_string();
    const bool skip = any_matches(skipped, path);
    if (skip && it->is_directory()) it.disable_recursion_pending();
    if (!skip && it->is_regular_file() && is_source(it->path())) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Include {
  int line = 0;
  std::string name;
  bool quoted = true;
};

std::vector<Include> includes_of(const fs::path& file) {
  static const std::regex form(R"re(^\s*#\s*include\s*(["<])([^">]+)[">].*)re");
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot open " + file.string());
  std::vector<Include> includes;
  std::string text;
  for (int line = 1; std::getline(stream, text); ++line)
    if (std::smatch found; std::regex_match(text, found, form)) includes.push_back({line, found[2], found[1] == "\""});
  return includes;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "nothing" : text;
}

/// The folder directly below `parent` that holds the file; none where the file is not below one.
std::optional<std::string> folder_below(const std::string& parent, const std::string& file) {
  if (!file.starts_with(parent + "/")) return std::nullopt;
  const std::size_t begin = parent.size() + 1, end = file.find('/', begin);
  if (end == std::string::npos) return std::nullopt;
  return file.substr(begin, end - begin);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Checker {
 public:
  Checker(const fs::path& root, const IncludeRules& rules)
      : root_(root), rules_(rules), files_(sources_below(root, rules.skipped)) {}

  std::vector<std::string> run() {
    for (const std::string& file : files_) {
      const Layer* layer = layer_of(file);
      if (layer == nullptr) {
        say(file, 0, "expected a file of one of the layers, found none for it");
        continue;
      }
      for (const Include& include : includes_of(root_ / file)) check(file, *layer, include);
    }
    for (const Layer& layer : rules_.layers)
      for (const std::string& pattern : layer.files)
        if (std::none_of(files_.begin(), files_.end(), [&](const std::string& file) { return matches(pattern, file); }))
          found_.push_back("layer " + layer.name + ": expected files of " + pattern + ", found none");
    return std::move(found_);
  }

 private:
  void say(const std::string& file, int line, const std::string& sentence) {
    found_.push_back(file + (line > 0 ? ":" + std::to_string(line) : "") + ": " + sentence);
  }

  const Layer* layer_of(const std::string& file) const {
    for (const Layer& layer : rules_.layers)
      if (any_matches(layer.files, file)) return &layer;
    return nullptr;
  }

  std::optional<std::string> resolve(const std::string& file, const Include& include) const {
    std::vector<fs::path> places;
    if (include.quoted) places.push_back(fs::path(file).parent_path() / include.name);
    for (const std::string& folder : rules_.search) places.push_back(fs::path(folder) / include.name);
    for (const fs::path& place : places) {
      const std::string path = place.lexically_normal().generic_string();
      if (std::binary_search(files_.begin(), files_.end(), path)) return path;
    }
    return std::nullopt;
  }

  void check(const std::string& file, const Layer& layer, const Include& include) {
    if (!include.quoted && !include.name.starts_with("maskrt/")) return;
    const std::optional<std::string> target = resolve(file, include);
    if (!target) {
      say(file, include.line, "expected an include of a file of this tree, found \"" + include.name + "\"");
      return;
    }
    check_spelling(file, include, *target);
    const Layer* below = layer_of(*target);
    if (below == nullptr) return;  // that file is told of by itself
    if (below->name != layer.name && !contains(layer.may_include, below->name))
      say(file, include.line,
          layer.name + " may include " + joined(layer.may_include) + ", found " + *target + " of " + below->name);
    for (const Siblings& siblings : rules_.siblings) check_siblings(file, include.line, *target, siblings);
  }

  void check_spelling(const std::string& file, const Include& include, const std::string& target) {
    if (!include.quoted) return;
    const bool beside = fs::path(file).parent_path() == fs::path(target).parent_path();
    const bool by_name = include.name.find('/') == std::string::npos;
    const bool from_root = std::any_of(rules_.search.begin(), rules_.search.end(), [&](const std::string& folder) {
      return (fs::path(folder) / include.name).generic_string() == target;
    });
    if (beside ? by_name || (from_root && any_matches(rules_.named_from_root, file)) : from_root) return;
    say(file, include.line,
        std::string("expected ") + (beside ? "a file beside it by its name" : "a path from a root") + ", found \"" +
            include.name + "\"");
  }

  void check_siblings(const std::string& file, int line, const std::string& target, const Siblings& siblings) {
    const auto from = folder_below(siblings.parent, file), to = folder_below(siblings.parent, target);
    if (!from || !to || from == to || contains(siblings.shared, *to)) return;
    const auto& allowed = siblings.exceptions;
    if (std::find(allowed.begin(), allowed.end(), std::pair(*from, *to)) != allowed.end()) return;
    say(file, line,
        siblings.parent + "/" + *from + " may include of the folders beside it " + joined(siblings.shared) +
            ", found " + target);
  }

  const fs::path& root_;
  const IncludeRules& rules_;
  std::vector<std::string> files_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> include_violations(const std::filesystem::path& root, const IncludeRules& rules) {
  return Checker(root, rules).run();
}

std::vector<std::string> table_faults(const std::vector<Layer>& layers) {
  std::vector<std::string> faults;
  std::map<std::string, std::set<std::string>> below;  // by name, all layers that are reached
  for (const Layer& layer : layers)
    if (!below.emplace(layer.name, std::set<std::string>()).second)
      faults.push_back("layer " + layer.name + ": expected each name once, found it again");
  for (const Layer& layer : layers)
    for (const std::string& name : layer.may_include) {
      below[layer.name].insert(name);
      if (!std::any_of(layers.begin(), layers.end(), [&](const Layer& other) { return other.name == name; }))
        faults.push_back("layer " + layer.name + ": expected to include layers of the table, found " + name);
    }
  for (std::size_t round = 0; round < layers.size(); ++round)
    for (auto& [name, reached] : below) {
      const std::set<std::string> direct = reached;
      for (const std::string& other : direct)
        if (const auto found = below.find(other); found != below.end())
          reached.insert(found->second.begin(), found->second.end());
    }
  for (const Layer& layer : layers)
    if (below[layer.name].contains(layer.name))
      faults.push_back("layer " + layer.name + ": expected includes to go down, found a way back to it");
  return faults;
}

}  // namespace maskrt::testing
