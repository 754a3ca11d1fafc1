// Which files of a source tree include which, held against a table of layers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace maskrt::testing {

/// A part of the tree and what it may include beside itself.
struct Layer {
  std::string name;
  /// Paths from the tree's root; `*` stands for any characters, slashes too. A file belongs to the first layer of the
  /// table that has a pattern for it.
  std::vector<std::string> files;
  std::vector<std::string> may_include;  ///< names of layers
};

/// Folders beside each other that do not include one another: those directly below `parent`.
struct Siblings {
  std::string parent;
  std::vector<std::string> shared;                              ///< folders that all of them may include
  std::vector<std::pair<std::string, std::string>> exceptions;  ///< {folder, another that it may include}
};

struct IncludeRules {
  std::vector<Layer> layers;
  std::vector<Siblings> siblings;
  /// Folders that compilers search for "quoted" includes after the including file's own; "" is the root.
  std::vector<std::string> search;
  /// Files in which one beside them may be named from a root, too.
  std::vector<std::string> named_from_root;
  /// Paths below these are not looked at.
  std::vector<std::string> skipped;
};

/// One sentence for each include of a .h, .hpp, .cpp, .inc, .cu or .cuh file below `root` that the rules do not allow,
/// with file and line, and for each that is not spelled as all are: a file beside the including one by its name, any
/// other from one of the folders that are searched. Also for a file that no layer has, an include that is no file of
/// the tree, and a pattern that is no file's. <angle> includes are looked at where they are of the public headers,
/// "maskrt/...".
std::vector<std::string> include_violations(const std::filesystem::path& root, const IncludeRules& rules);

/// One sentence for each layer that may include one of the table's that is not there, or itself by way of others.
std::vector<std::string> table_faults(const std::vector<Layer>& layers);

}  // namespace maskrt::testing
