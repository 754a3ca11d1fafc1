// How many processors this process may use.
#pragma once

#include <filesystem>
#include <optional>

namespace maskrt {

/// What "0: all that the process may use" means: as many processors as the calling thread may run on (its affinity),
/// but no more than the processor time that the process's control group and the groups around it are given in a period
/// (cgroup v2: cpu.max; v1: cpu.cfs_quota_us), a part of a processor counted as one. At least 1.
int usable_processors();

/// The second of these: the least quota of the process's groups, in processors, rounded up and at least 1; nothing
/// where no group has one, or none can be read. `root` is the folder that /proc and the control groups' mounts lie
/// under.
std::optional<int> processor_quota(const std::filesystem::path& root = "/");

}  // namespace maskrt
