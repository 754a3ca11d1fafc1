// Which files a command reads and which it writes: no output may be an input, nor another output.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace maskrt::graph {

/// Two paths are one file where both lead to the same device and inode, through symbolic and hard links; a path that
/// leads to nothing yet is the file that writing to it would make. Character devices (/dev/null, terminals) are
/// nobody's file: any number of roles may name them.
class FileRoles {
 public:
  /// An empty path is none.
  void input(const std::filesystem::path& path);
  /// An empty path is none.
  void output(const std::filesystem::path& path);
  /// Files in `folder` of which only the shape of their names is known before they are written.
  void outputs(const std::filesystem::path& folder, std::function<bool(const std::string& name)> may_be_written);

  /// Throws Error that names the output: for one that is an input, two that are one file, one that is a folder. Called
  /// before anything is read at length or created.
  void check() const;

 private:
  struct Group {
    std::filesystem::path folder;
    std::function<bool(const std::string&)> may_be_written;
  };

  std::vector<std::filesystem::path> inputs_, outputs_;
  std::vector<Group> groups_;
};

}  // namespace maskrt::graph
