// What "all that the process may use" means, from files as kernels and container engines lay them out.
#include <sched.h>

#include <catch2/catch.hpp>
#include <optional>
#include <set>

#include "runtime/coco/parallel.h"
#include "runtime/support/usable_processors.h"
#include "support/files.h"

namespace maskrt {
namespace {

using namespace testing;

/// A file system with /proc and control groups.
struct Tree {
  TemporaryFolder folder;

  void write(const std::string& path, const std::string& text) const {
    const auto file = folder.path() / path;
    std::filesystem::create_directories(file.parent_path());
    write_text(file, text);
  }
  std::optional<int> quota() const { return processor_quota(folder.path()); }
};

const std::string v2_mount = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST_CASE("a process without control groups, or without a limit, has no quota", "[processors]") {
  Tree tree;
  CHECK(tree.quota() == std::nullopt);
  tree.write("proc/self/cgroup", "0::/user.slice\n");
  CHECK(tree.quota() == std::nullopt);
  tree.write("proc/self/mountinfo", "22 28 0:20 / /sys rw - sysfs sysfs rw\n" + v2_mount);
  CHECK(tree.quota() == std::nullopt);
  tree.write("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
  CHECK(tree.quota() == std::nullopt);
}

TEST_CASE("cgroup v2: the least quota of a group and of those around it, rounded up", "[processors]") {
  Tree tree;
  tree.write("proc/self/mountinfo", v2_mount);
  tree.write("proc/self/cgroup", "0::/system.slice/maskrt.service\n");
  tree.write("sys/fs/cgroup/system.slice/maskrt.service/cpu.max", "250000 100000\n");
  CHECK(tree.quota() == 3);
  tree.write("sys/fs/cgroup/system.slice/cpu.max", "200000 100000\n");
  CHECK(tree.quota() == 2);
  tree.write("sys/fs/cgroup/system.slice/maskrt.service/cpu.max", "1000 100000\n");
  CHECK(tree.quota() == 1);
  tree.write("sys/fs/cgroup/system.slice/maskrt.service/cpu.max", "max 100000\n");
  CHECK(tree.quota() == 2);
  // Another group's is not ours.
  tree.write("sys/fs/cgroup/system.slice/other.service/cpu.max", "100000 100000\n");
  CHECK(tree.quota() == 2);
}

TEST_CASE("cgroup v2 in a container: its own group is the root that it sees", "[processors]") {
  Tree tree;
  tree.write("proc/self/mountinfo", v2_mount);
  tree.write("proc/self/cgroup", "0::/\n");
  tree.write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  CHECK(tree.quota() == 2);
  // Without a namespace of its own: the host's name of the group, which is the root of the mount.
  tree.write("proc/self/mountinfo", "31 23 0:28 /docker/4f5e /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  tree.write("proc/self/cgroup", "0::/docker/4f5e/inner\n");
  CHECK(tree.quota() == 2);
  tree.write("sys/fs/cgroup/inner/cpu.max", "50000 100000\n");
  CHECK(tree.quota() == 1);
  // A name that only begins like the mount's root is no part of it; nor is one outside of the namespace.
  for (const char* group : {"0::/docker/4f5e7\n", "0::/../4f5e\n"}) {
    tree.write("proc/self/cgroup", group);
    CHECK(tree.quota() == 2);  // the mount is all that is known
  }
}

TEST_CASE("cgroup v1: quota and period of the hierarchy with the cpu controller", "[processors]") {
  Tree tree;
  tree.write("proc/self/mountinfo",
             "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
             "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
  tree.write("proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:/batch/job7\n");
  const std::string group = "sys/fs/cgroup/cpu,cpuacct/batch/";
  tree.write(group + "job7/cpu.cfs_quota_us", "-1\n");
  tree.write(group + "job7/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == std::nullopt);
  tree.write(group + "job7/cpu.cfs_quota_us", "350000\n");
  CHECK(tree.quota() == 4);
  tree.write(group + "cpu.cfs_quota_us", "60000\n");
  tree.write(group + "cpu.cfs_period_us", "20000\n");
  CHECK(tree.quota() == 3);
}

TEST_CASE("cgroup v1 in a container: the host's name, the container's mount", "[processors]") {
  Tree tree;
  tree.write("proc/self/mountinfo",
             "812 801 0:29 /docker/4f5e /sys/fs/cgroup/cpu,cpuacct ro master:11 - cgroup cgroup rw,cpu,cpuacct\n");
  tree.write("proc/self/cgroup", "4:cpu,cpuacct:/docker/4f5e\n");
  tree.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  tree.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == 2);
}

TEST_CASE("hybrid systems: v2 without the controller beside v1 with it", "[processors]") {
  Tree tree;
  tree.write("proc/self/mountinfo",
             "33 31 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
             "32 31 0:29 / /sys/fs/cgroup/my\\040cpu rw - cgroup cgroup rw,cpu\n");
  tree.write("proc/self/cgroup", "1:cpu:/a\n0::/a\n");
  tree.write("sys/fs/cgroup/unified/a/cgroup.procs", "1\n");
  CHECK(tree.quota() == std::nullopt);
  tree.write("sys/fs/cgroup/my cpu/a/cpu.cfs_quota_us", "100000\n");
  tree.write("sys/fs/cgroup/my cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == 1);
}

TEST_CASE("files that make no sense are no limit", "[processors]") {
  Tree tree;
  tree.write("proc/self/mountinfo", "\n-\n1 2 3\n31 23 0:28 / /sys/fs/cgroup rw -\n" + v2_mount);
  for (const char* group : {"", "x", "0:", "::", "0::"}) {
    tree.write("proc/self/cgroup", group);
    CHECK(tree.quota() == std::nullopt);
  }
  tree.write("proc/self/cgroup", "0::/a\n");
  for (const char* text :
       {"", "max", "-5 100000", "100000", "0 0", "5 0", "1e5 100000", "99999999999999999999 1", "a b c"}) {
    INFO(text);
    tree.write("sys/fs/cgroup/a/cpu.max", text);
    CHECK(tree.quota() == std::nullopt);
  }
  tree.write("sys/fs/cgroup/a/cpu.max", "9223372036854775807 1");
  CHECK(tree.quota() == 2147483647);
}

/// Runs on the first processors that it may run on, while it lives.
class FewerProcessors {
 public:
  explicit FewerProcessors(int count) {
    REQUIRE(::sched_getaffinity(0, sizeof before_, &before_) == 0);
    cpu_set_t few;
    CPU_ZERO(&few);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&few) < count; ++cpu)
      if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &few);
    REQUIRE(::sched_setaffinity(0, sizeof few, &few) == 0);
  }
  ~FewerProcessors() { ::sched_setaffinity(0, sizeof before_, &before_); }
  FewerProcessors(const FewerProcessors&) = delete;
  FewerProcessors& operator=(const FewerProcessors&) = delete;

 private:
  cpu_set_t before_;
};

TEST_CASE("affinity bounds what the process may use", "[processors]") {
  const int all = usable_processors();
  CHECK(all >= 1);
  {
    const FewerProcessors one(1);
    CHECK(usable_processors() == 1);
    // The evaluation starts no more threads than that.
    std::set<std::thread::id> threads;
    std::mutex mutex;
    coco::parallel_for(64, 0, [&](std::size_t) {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    });
    CHECK(threads == std::set{std::this_thread::get_id()});
  }
  CHECK(usable_processors() == all);
}

}  // namespace
}  // namespace maskrt
