// Where the libraries lie that are opened on first use: devices, image formats, text.
#pragma once

#include <string>
#include <vector>

namespace maskrt {

/// Where to look for `file`, the likeliest place first: beside the binary that this code was linked into (libmaskrt.so,
/// a program or a test), in lib/ beside that binary's folder, and by the loader's own search. The environment's
/// `variable` names the one place outright where it is set and not empty.
std::vector<std::string> library_places(const std::string& file, const std::string& variable);

/// A library that may be missing.
struct OptionalLibrary {
  std::string place;      ///< that it was opened from; empty where it was not
  void* entry = nullptr;  ///< what it exports under the symbol; null where it has no such thing
  std::string why_not;    ///< a part of a sentence, where it was not opened
};

/// Opens the first of the places above that can be opened, for the life of the process; none where `variable` is
/// "none". Throws Error where `variable` names a library that cannot be opened.
OptionalLibrary open_optional_library(const std::string& file, const std::string& variable, const std::string& symbol);

}  // namespace maskrt
