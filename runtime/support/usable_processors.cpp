// Affinity from the scheduler; quotas from the files of control groups, which are found as the kernel's cgroups(7)
// tells: /proc/self/cgroup names the process's group of each hierarchy, /proc/self/mountinfo where a hierarchy can be
// read.
#include "usable_processors.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace maskrt {
namespace {

namespace fs = std::filesystem;

enum class Hierarchy { v1, v2 };

/// A mount of a hierarchy that has the cpu controller: group `root` of it is seen at `point`.
struct Mount {
  Hierarchy hierarchy;
  std::string root, point;
};

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// One of the names between commas.
bool names(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == name) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// Spaces and the like stand as \040 in mountinfo.
std::string unescaped(const std::string& text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// "36 35 0:29 ROOT POINT options [more] - TYPE source super-options"
std::vector<Mount> cpu_mounts(const fs::path& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    if (dash[1] == "cgroup2") mounts.push_back({Hierarchy::v2, unescaped(words[3]), unescaped(words[4])});
    if (dash[1] == "cgroup" && names(dash[3], "cpu"))
      mounts.push_back({Hierarchy::v1, unescaped(words[3]), unescaped(words[4])});
  }
  return mounts;
}

/// The process's group in a hierarchy: "0::/group" in v2, "4:cpu,cpuacct:/group" in v1. Empty where it is in none.
std::string own_group(const fs::path& root, Hierarchy hierarchy) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers(line.data() + first + 1, second - first - 1);
    if (hierarchy == Hierarchy::v2 ? controllers.empty() : names(controllers, "cpu")) return line.substr(second + 1);
  }
  return {};
}

/// `group` as seen from `ancestor`, without a slash in front; nothing where it does not lie there.
std::optional<std::string> below(const std::string& group, const std::string& ancestor) {
  // Groups outside of a cgroup namespace have names that begin with /..
  if (group.empty() || group.starts_with("/..")) return std::nullopt;
  if (ancestor == "/") return group.substr(1);
  if (!group.starts_with(ancestor)) return std::nullopt;
  if (group.size() == ancestor.size()) return std::string();
  if (group[ancestor.size()] != '/') return std::nullopt;
  return group.substr(ancestor.size() + 1);
}

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> words_of_file(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return words_of(line);
}

/// What one group may use in a period: microseconds of processor time, "max" or -1 where it has no limit of its own.
std::optional<int> quota_of_group(const fs::path& folder, Hierarchy hierarchy) {
  std::vector<std::string> words;
  if (hierarchy == Hierarchy::v2) {
    words = words_of_file(folder / "cpu.max");
  } else {
    words = words_of_file(folder / "cpu.cfs_quota_us");
    const std::vector<std::string> period = words_of_file(folder / "cpu.cfs_period_us");
    words.insert(words.end(), period.begin(), period.end());
  }
  if (words.size() != 2) return std::nullopt;
  const std::optional<std::int64_t> quota = number(words[0]), period = number(words[1]);
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  const std::int64_t processors = *quota / *period + (*quota % *period != 0 ? 1 : 0);
  return static_cast<int>(std::min<std::int64_t>(processors, std::numeric_limits<int>::max()));
}

/// Of the group in `folder` below `point`, and of all on the way up to there.
std::optional<int> least_quota(const fs::path& point, const std::string& folder, Hierarchy hierarchy) {
  std::optional<int> least;
  const auto look = [&](const fs::path& group) {
    const std::optional<int> quota = quota_of_group(group, hierarchy);
    if (quota) least = std::min(*quota, least.value_or(*quota));
  };
  fs::path group = point;
  look(group);
  for (const fs::path& name : fs::path(folder)) look(group /= name);
  return least;
}

int processors_of_affinity() {
  // The kernel refuses sets smaller than its own, which may have more than the usual 1024 processors.
  for (std::size_t processors = CPU_SETSIZE; processors <= std::size_t{1} << 20; processors *= 2) {
    std::vector<cpu_set_t> sets((processors + CPU_SETSIZE - 1) / CPU_SETSIZE);
    const std::size_t bytes = sets.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, sets.data()) == 0) return CPU_COUNT_S(bytes, sets.data());
    if (errno != EINVAL) break;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

std::optional<int> processor_quota(const fs::path& root) {
  std::optional<int> least;
  const std::vector<Mount> mounts = cpu_mounts(root);
  for (const Hierarchy hierarchy : {Hierarchy::v1, Hierarchy::v2}) {
    const std::string group = own_group(root, hierarchy);
    if (group.empty()) continue;
    std::optional<int> seen, guessed;
    bool found = false;
    for (const Mount& mount : mounts) {
      if (mount.hierarchy != hierarchy) continue;
      const fs::path point = root / fs::path(mount.point).relative_path();
      const std::optional<std::string> folder = below(group, mount.root);
      std::optional<int>& quota = folder ? seen : guessed;
      found = found || folder;
      const std::optional<int> here = least_quota(point, folder.value_or(""), hierarchy);
      if (here) quota = std::min(*here, quota.value_or(*here));
    }
    // Where no mount shows the group under its name, as in containers within containers, the mount is the container's.
    const std::optional<int> quota = found ? seen : guessed;
    if (quota) least = std::min(*quota, least.value_or(*quota));
  }
  if (least) least = std::max(1, *least);
  return least;
}

int usable_processors() {
  const int allowed = std::max(1, processors_of_affinity());
  return std::min(allowed, processor_quota().value_or(allowed));
}

}  // namespace maskrt
