#include "file_roles.h"

#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

#include "atomic_file.h"
#include "maskrt/types.hpp"

namespace maskrt::graph {
namespace {

namespace fs = std::filesystem;

/// Where files that do not exist yet will be. Many pictures' files share few folders, so those are looked up once.
class Places {
 public:
  /// The folder that the file will be in, as far as it exists, without links.
  const fs::path& folder_of(const fs::path& file) {
    const auto [known, fresh] = folders_.try_emplace(file.parent_path().string());
    if (fresh) {
      std::error_code error;
      const fs::path folder = fs::absolute(file, error).parent_path();
      known->second = fs::weakly_canonical(folder, error);
      if (error) known->second = folder.lexically_normal();
    }
    return known->second;
  }

  /// Equal for paths that are one file; "" for a file that may have any number of roles.
  std::string identity(const fs::path& path) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) {
      const fs::path target = follow_links(path);
      return (folder_of(target) / target.filename()).string();
    }
    if (S_ISCHR(status.st_mode)) return {};
    return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  }

 private:
  std::map<std::string, fs::path> folders_;
};

using Known = std::map<std::string, fs::path>;

void fail_input(const fs::path& output, const fs::path& input) {
  throw Error("expected an output file that is none of the inputs, found " + output.string() +
              (output == input ? "" : ", which is " + input.string()));
}

void fail_output(const fs::path& output, const fs::path& other) {
  throw Error("expected outputs that are different files, found " + output.string() +
              (output == other ? " twice" : " and " + other.string() + ", which are one"));
}

}  // namespace

void FileRoles::input(const fs::path& path) {
  if (!path.empty()) inputs_.push_back(path);
}

void FileRoles::output(const fs::path& path) {
  if (!path.empty()) outputs_.push_back(path);
}

void FileRoles::outputs(const fs::path& folder, std::function<bool(const std::string&)> may_be_written) {
  if (!folder.empty()) groups_.push_back({folder, std::move(may_be_written)});
}

void FileRoles::check() const {
  if (outputs_.empty() && groups_.empty()) return;
  Places places;
  Known inputs, outputs;
  for (const fs::path& path : inputs_) {
    if (const std::string id = places.identity(path); !id.empty()) inputs.emplace(id, path);
  }
  for (const fs::path& path : outputs_) {
    const std::string id = places.identity(path);
    if (id.empty()) continue;
    if (const auto input = inputs.find(id); input != inputs.end()) fail_input(path, input->second);
    if (const auto [other, fresh] = outputs.emplace(id, path); !fresh) fail_output(path, other->second);
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) throw WriteError(path, EISDIR);
  }
  for (const Group& group : groups_) {
    // Inputs exist, so only files that lie there already can be one.
    std::error_code error;
    for (fs::directory_iterator entry(group.folder, error), end; !error && entry != end; entry.increment(error)) {
      if (!group.may_be_written(entry->path().filename().string())) continue;
      const auto input = inputs.find(places.identity(entry->path()));
      if (input != inputs.end()) fail_input(entry->path(), input->second);
    }
    for (const fs::path& path : outputs_) {
      const fs::path target = follow_links(path), other = group.folder / target.filename();
      if (group.may_be_written(target.filename().string()) && places.folder_of(target) == places.folder_of(other))
        fail_output(path, other);
    }
  }
}

}  // namespace maskrt::graph
