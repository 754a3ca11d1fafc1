#include "checkpoint_names.h"

#include <algorithm>
#include <string_view>

#include "maskrt/types.hpp"

namespace maskrt::weights {
namespace {

// Modules that hold another one and compute nothing themselves: DataParallel, torch.compile, FSDP, checkpointing.
constexpr std::string_view kWrappers[] = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"};

bool is_wrapper(std::string_view part) {
  return std::find(std::begin(kWrappers), std::end(kWrappers), part) != std::end(kWrappers);
}

// The first part of a dotted name, which goes off it.
std::string_view take_part(std::string_view& name) {
  const auto dot = name.find('.');
  const auto part = name.substr(0, dot);
  name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  return part;
}

std::size_t parts_in(std::string_view name) {
  return name.empty() ? 0 : static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) + 1;
}

std::string without_wrappers(std::string_view name) {
  std::string clean;
  while (!name.empty()) {
    const auto part = take_part(name);
    if (is_wrapper(part) && !name.empty()) continue;
    clean += part;
    if (!name.empty()) clean += '.';
  }
  return clean;
}

// What stands before the network's name that ends `clean`; nothing where none does. `most_parts`: of a network's name.
std::optional<std::string> prefix_of(const std::string& clean, const std::set<std::string>& network,
                                     std::size_t most_parts) {
  std::optional<std::string> prefix;
  std::size_t end = clean.size();
  for (std::size_t parts = 0; parts < most_parts && end != std::string::npos; ++parts) {
    const auto dot = end == 0 ? std::string::npos : clean.rfind('.', end - 1);
    const std::size_t begin = dot == std::string::npos ? 0 : dot + 1;
    if (network.contains(clean.substr(begin))) prefix = clean.substr(0, begin);
    end = dot;
  }
  return prefix;
}

// How a name is taken apart: what stands before the network's part of it, and the wrappers inside that.
struct Taken {
  std::string front, inside;
};

Taken taken_from(std::string_view name, std::size_t parts_of_prefix) {
  Taken taken;
  bool in_front = true;
  while (!name.empty()) {
    const auto part = take_part(name);
    const bool wrapper = is_wrapper(part) && !name.empty();
    in_front = in_front && (wrapper || parts_of_prefix > 0);
    if (in_front) {
      taken.front += std::string(part) + '.';
      if (!wrapper) --parts_of_prefix;
    } else if (wrapper) {
      taken.inside += std::string(part) + '.';
    }
  }
  return taken;
}

using Counts = std::map<std::string, std::size_t>;

std::string quoted(const std::string& prefix) { return prefix.empty() ? "no prefix" : "'" + prefix + "'"; }

std::string list_of(const Counts& prefixes) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& [prefix, count] : prefixes) {
    if (++shown > 4) return text + ", ...";
    text += (shown > 1 ? ", " : "") + quoted(prefix) + " (" + std::to_string(count) + " names)";
  }
  return text.empty() ? "none of the network's names" : text;
}

std::string choose(const Counts& found, const std::optional<std::string>& wanted) {
  if (wanted) {
    std::string prefix = without_wrappers(*wanted + (wanted->empty() || wanted->ends_with('.') ? "" : ".") + "x");
    prefix.pop_back();
    if (found.contains(prefix)) return prefix;
    throw Error("--prefix " + *wanted + ": expected a prefix of the network's names, found " + list_of(found));
  }
  std::size_t most = 0;
  for (const auto& [prefix, count] : found) most = std::max(most, count);
  Counts best;
  for (const auto& [prefix, count] : found)
    if (count == most) best.emplace(prefix, count);
  if (best.empty() || best.contains("")) return "";
  if (best.size() > 1)
    throw Error("expected the network's names under one prefix, found them under " + list_of(best) +
                ": say which with --prefix " + best.begin()->first);
  return best.begin()->first;
}

void add_sentence(const Counts& taken, const char* preposition, std::size_t names, std::string& report) {
  for (const auto& [text, count] : taken) {
    report += (report.empty() ? "took '" : ", '") + text + "' " + preposition + " ";
    report +=
        (count == names ? "all" : std::to_string(count)) + std::string(count == 1 && names != 1 ? " name" : " names");
  }
}

}  // namespace

AlignedNames align_names(const std::vector<std::string>& checkpoint, const std::set<std::string>& network,
                         const std::optional<std::string>& wanted) {
  std::size_t most_parts = 0;
  for (const auto& name : network) most_parts = std::max(most_parts, parts_in(name));
  Counts found;
  std::vector<std::string> clean;
  for (const auto& name : checkpoint) {
    clean.push_back(without_wrappers(name));
    if (const auto prefix = prefix_of(clean.back(), network, most_parts)) ++found[*prefix];
  }
  const std::string prefix = choose(found, wanted);

  AlignedNames aligned;
  Counts fronts, insides;
  std::size_t names = 0;
  for (std::size_t i = 0; i < checkpoint.size(); ++i) {
    if (!clean[i].starts_with(prefix)) continue;
    const std::string plain = clean[i].substr(prefix.size());
    const auto [known, is_new] = aligned.in_file.emplace(plain, checkpoint[i]);
    if (!network.contains(plain)) continue;
    if (!is_new)
      throw Error("tensor " + plain + ": expected it once, found it as '" + known->second + "' and '" + checkpoint[i] +
                  "'");
    ++names;
    const Taken taken = taken_from(checkpoint[i], parts_in(prefix.substr(0, prefix.size() - !prefix.empty())));
    if (!taken.front.empty()) ++fronts[taken.front];
    if (!taken.inside.empty()) ++insides[taken.inside];
  }
  add_sentence(fronts, "off", names, aligned.report);
  add_sentence(insides, "out of", names, aligned.report);
  Counts others = found;
  others.erase(prefix);
  std::erase_if(others, [&](const auto& other) { return other.second < found[prefix]; });
  if (!others.empty())
    aligned.report +=
        (aligned.report.empty() ? "" : "; ") + ("the same names are under " + list_of(others)) + ", for --prefix";
  return aligned;
}

}  // namespace maskrt::weights
